import { beforeEach, expect, test } from "vitest";

import { Problem, ServerAwayError } from "../../api/problem";
import { forget, intend, isFinal, unanswered } from "./intents";

const DRAFT = "d-1";
beforeEach(() => {
  sessionStorage.clear();
});

test("the same wish has the same key until it is answered", () => {
  const first = intend(DRAFT, "push", 3, {});
  expect(intend(DRAFT, "push", 3, {}).key).toBe(first.key);
  forget(DRAFT, first);
  expect(intend(DRAFT, "push", 3, {}).key).not.toBe(first.key);
});

test("another version, operation, draft or body is another wish", () => {
  const keys = [
    intend(DRAFT, "push", 3, {}),
    intend(DRAFT, "push", 4, {}),
    intend(DRAFT, "retry-push", 4, {}),
    intend("d-2", "push", 3, {}),
    intend(DRAFT, "push", 4, { erp_connection_id: "c" }),
  ].map((each) => each.key);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(key).toMatch(/^[\x21-\x7e]{1,255}$/);
});

test("what was not answered is known after a reload, until the draft moved on", () => {
  const asked = intend(DRAFT, "push", 3, {});
  expect(unanswered(DRAFT, 3)).toEqual([asked]);
  expect(unanswered(DRAFT, 4)).toEqual([]);
  expect(sessionStorage).toHaveLength(0);
});

test("forgetting an old intent spares the one that took its place", () => {
  const old = intend(DRAFT, "push", 3, {});
  const next = intend(DRAFT, "push", 4, {});
  forget(DRAFT, old);
  expect(unanswered(DRAFT, 4)).toEqual([next]);
});

test.each([
  [409, true],
  [412, true],
  [403, true],
  [400, true],
  [401, false],
  [429, false],
  [500, false],
  [503, false],
  [504, false],
])("an answer of status %i ends the wish: %s", (status, ends) => {
  expect(isFinal(new Problem(status, {}))).toBe(ends);
});

test("no answer at all ends no wish", () => {
  expect(isFinal(new ServerAwayError(undefined))).toBe(false);
});
