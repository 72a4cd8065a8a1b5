import { expect, test } from "vitest";

import { differences } from "./changes";
import {
  NO_EDITS,
  conflicts,
  edited,
  patchOf,
  rebased,
  size,
  valueOf,
  withLine,
  withValue,
  withoutLine,
} from "./edits";
import { content, line } from "./testing";

const base = content({ lines: [line(1), line(2)] });
const nobody = new Set<string>();

test("the old value again is no edit", () => {
  const edits = withValue(base, NO_EDITS, "lines[2].qty", "3");
  expect(valueOf(base, edits, "lines[2].qty")).toBe("3");
  expect(size(withValue(base, edits, "lines[2].qty", "2"))).toBe(0);
});

test("a patch names what changed and nothing else", () => {
  let edits = withValue(base, NO_EDITS, "header.currency", "EUR");
  edits = withValue(base, edits, "customer.name", "");
  expect(patchOf(base, edits)).toEqual({ header: { currency: "EUR" }, customer: { name: null } });
});

test("lines go as a whole, with every digit", () => {
  let edits = withValue(base, NO_EDITS, "lines[2].qty", "3.10");
  edits = withoutLine(base, withLine(base, edits), 1);
  edits = withValue(base, edits, "lines[3].internal_sku", "X");
  const { lines } = patchOf(base, edits) as { lines: ReturnType<typeof line>[] };
  expect(lines.map(({ line_no, qty, internal_sku }) => [line_no, qty, internal_sku])).toEqual([
    [2, "3.10", "23256"],
    [3, null, "X"],
  ]);
  expect(size(edits)).toBe(3);
});

test("edits fit onto what others changed elsewhere", () => {
  const edits = withValue(base, NO_EDITS, "lines[2].qty", "3");
  const now = content({
    header: { ...base.header, notes: "theirs" },
    lines: [line(1, { uom: "KG" }), line(2)],
  });
  expect(conflicts(edits, now)).toEqual([]);
  const merged = edited(now, rebased(base, edits, now, nobody));
  expect(merged.header.notes).toBe("theirs");
  expect(merged.lines.map(({ qty, uom }) => [qty, uom])).toEqual([
    ["2", "KG"],
    ["3", "ST"],
  ]);
});

test("where both changed a field the person decides", () => {
  const edits = withValue(base, NO_EDITS, "header.notes", "mine");
  const now = content({ ...base, header: { ...base.header, notes: "theirs" } });
  expect(conflicts(edits, now)).toEqual([
    { path: "header.notes", before: null, theirs: "theirs", mine: "mine" },
  ]);
  const notes = (mine: ReadonlySet<string>) =>
    edited(now, rebased(base, edits, now, mine)).header.notes;
  expect(notes(nobody)).toBe("theirs");
  expect(notes(new Set(["header.notes"]))).toBe("mine");
});

test("both wanted the same: nothing is left to do", () => {
  const edits = withValue(base, NO_EDITS, "header.notes", "urgent");
  const now = content({ ...base, header: { ...base.header, notes: "urgent" } });
  expect(conflicts(edits, now)).toEqual([]);
  expect(size(rebased(base, edits, now, nobody))).toBe(0);
});

test("an edit of a line that somebody removed is not lost", () => {
  const edits = withValue(base, NO_EDITS, "lines[2].qty", "3");
  const now = content({ lines: [line(1)] });
  expect(conflicts(edits, now)).toHaveLength(1);
  const merged = edited(now, rebased(base, edits, now, new Set(["lines[2].qty"])));
  expect(merged.lines[1]).toMatchObject({ line_no: 2, qty: "3", internal_sku: "23256" });
  expect(edited(now, rebased(base, edits, now, nobody)).lines).toHaveLength(1);
});

test("removing a line that somebody changed is a conflict", () => {
  const edits = withoutLine(base, NO_EDITS, 2);
  const now = content({ lines: [line(1), line(2, { qty: "9" })] });
  expect(conflicts(edits, now).map(({ path }) => path)).toEqual(["lines[2]"]);
  expect(edited(now, rebased(base, edits, now, nobody)).lines).toHaveLength(2);
  const kept = rebased(base, edits, now, new Set(["lines[2]"]));
  expect(edited(now, kept).lines).toHaveLength(1);
});

test("a new line takes the next free number when its own was taken", () => {
  const edits = withValue(base, withLine(base, NO_EDITS), "lines[3].internal_sku", "MINE");
  const now = content({ lines: [...base.lines, line(3, { internal_sku: "THEIRS" })] });
  const merged = edited(now, rebased(base, edits, now, nobody));
  expect(merged.lines.map(({ internal_sku }) => internal_sku)).toEqual([
    "23256",
    "23256",
    "THEIRS",
    "MINE",
  ]);
  expect(differences(now, merged)).toEqual([{ kind: "added", line: 4, text: "MINE" }]);
});
