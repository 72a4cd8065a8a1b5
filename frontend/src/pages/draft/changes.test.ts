import { expect, test } from "vitest";

import { differences } from "./changes";
import { content, line } from "./testing";

test("each field that differs is named, with both values", () => {
  const before = content({ lines: [line(1), line(2)] });
  const after = content({
    customer: { ...before.customer, name: "New Ltd" },
    header: { ...before.header, notes: "urgent" },
    lines: [line(1, { qty: "3" }), line(2)],
  });
  expect(differences(before, after)).toEqual([
    { kind: "field", path: "customer.name", before: "Spaceboy", after: "New Ltd" },
    { kind: "field", path: "header.notes", before: null, after: "urgent" },
    { kind: "field", path: "lines[1].qty", before: "2", after: "3" },
  ]);
});

test("lines are told apart by their number, not by their place", () => {
  const before = content({ lines: [line(1), line(2)] });
  const after = content({ lines: [line(2), line(7, { internal_sku: "X" })] });
  expect(differences(before, after)).toEqual([
    { kind: "removed", line: 1, text: "23256 · CUTLERY · 2 · ST" },
    { kind: "added", line: 7, text: "X · CUTLERY · 2 · ST" },
  ]);
});

test("a quantity of other digits is another quantity", () => {
  const [change] = differences(
    content({ lines: [line(1, { qty: "2" })] }),
    content({ lines: [line(1, { qty: "2.0" })] }),
  );
  expect(change).toMatchObject({ before: "2", after: "2.0" });
});

test("the same content has no changes", () => {
  expect(differences(content(), content())).toEqual([]);
});
