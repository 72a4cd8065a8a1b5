import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { DraftDetailReply } from "../../api/schema";
import { NO_EDITS, withValue } from "./edits";
import { content } from "./testing";
import { keepEdits, keptEdits } from "./unsaved";

const base = (version = 1) => ({ id: "d-1", version, ...content() }) as DraftDetailReply;

beforeEach(() => {
  sessionStorage.clear();
});
afterEach(() => {
  vi.restoreAllMocks();
});

function edit(draft: DraftDetailReply, notes: string): void {
  keepEdits(draft.id, {
    base: draft,
    edits: withValue(draft, NO_EDITS, "header.notes", notes),
    texts: { "lines[1].qty": "many" },
  });
}

test("edits come back with the version that they were made in", () => {
  edit(base(1), "urgent");
  const kept = keptEdits(base(7));
  expect(kept?.base.version).toBe(1);
  expect(kept?.edits.fields["header.notes"]?.after).toBe("urgent");
  expect(kept?.texts).toEqual({ "lines[1].qty": "many" });
});

test("nothing is left of what was saved or dropped", () => {
  edit(base(), "urgent");
  keepEdits("d-1", undefined);
  expect(keptEdits(base())).toBeUndefined();
  expect(sessionStorage.length).toBe(0);
});

test("the order itself is kept once, not at every key", () => {
  const draft = base();
  const set = vi.spyOn(Storage.prototype, "setItem");
  for (const notes of ["u", "ur", "urg"]) edit(draft, notes);
  expect(set.mock.calls.filter(([name]) => name.includes(".base."))).toHaveLength(1);
});

test("edits of an order that is too large to keep are kept, under its version", () => {
  const set = sessionStorage.setItem.bind(sessionStorage);
  vi.spyOn(Storage.prototype, "setItem").mockImplementation((name, value) => {
    if (name.includes(".base.")) throw new DOMException("full", "QuotaExceededError");
    set(name, value);
  });
  edit(base(1), "urgent");
  const kept = keptEdits(base(2));
  expect(kept?.base.version).toBe(1);
  expect(kept?.edits.fields["header.notes"]?.after).toBe("urgent");
});
