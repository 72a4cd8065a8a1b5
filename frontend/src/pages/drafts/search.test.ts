import { expect, test } from "vitest";

import { changed, draftSearch, isNarrowed, listKey } from "./search";

test("an address is read as far as it makes sense", () => {
  expect(
    draftSearch({ status: "READY", q: 10042, age: 24, from: "2026-03-01", sort: "BEST", x: 1 }),
  ).toEqual({ status: "READY", q: "10042", age: 24, from: "2026-03-01" });
});

test.each([
  { status: "ready" },
  { q: "  " },
  { from: "yesterday" },
  { age: 5 },
  { state: "LOST" },
  { error: "disk full" },
])("%j narrows nothing", (raw) => {
  expect(draftSearch(raw)).toEqual({});
});

test("a change begins at the first page", () => {
  const search = draftSearch({ status: "READY", q: "PO", page: "token" });
  expect(changed(search, { q: undefined })).toEqual({ status: "READY" });
  expect(changed(search, { sort: "OLDEST" })).toEqual({ status: "READY", q: "PO", sort: "OLDEST" });
});

test("a selection belongs to the list, not to its page or order", () => {
  expect(listKey({ q: "PO", page: "a", sort: "OLDEST" })).toBe(listKey({ q: "PO" }));
  expect(listKey({ q: "PO" })).not.toBe(listKey({ q: "PO", status: "READY" }));
});

test("a status alone does not narrow", () => {
  expect(isNarrowed({ status: "READY", sort: "OLDEST" })).toBe(false);
  expect(isNarrowed({ age: 24 })).toBe(true);
});
