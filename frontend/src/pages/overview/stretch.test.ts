import { expect, test } from "vitest";

import { lastDays } from "./stretch";

test("a stretch ends with today and leaves out no day, over the end of a month too", () => {
  const days = lastDays(4, new Date(2026, 2, 2, 23, 59));
  expect(days.names).toEqual(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
  expect(days.from).toEqual(new Date(2026, 1, 27));
  expect(days.to).toEqual(new Date(2026, 2, 3));
});
