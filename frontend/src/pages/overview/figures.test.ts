import { expect, test } from "vitest";

import type { StatisticsReply } from "../../api/schema";
import { NOTHING, byConnection, byDay, ceiling, oldest, total } from "./figures";

const FOUND: StatisticsReply = {
  figures: [
    { ...NOTHING, day: "2026-03-01", erp_connection_id: "a", pushed: 2 },
    { ...NOTHING, day: "2026-03-01", erp_connection_id: null, pushed: 3 },
    { ...NOTHING, day: null, erp_connection_id: "a", pushed: 4 },
    { ...NOTHING, day: null, erp_connection_id: null, pushed: 5 },
  ],
  waiting: [
    { ...waiting("a"), oldest_since: "2026-03-01T10:00:00Z" },
    { ...waiting("b"), oldest_since: "2026-03-01T10:30:00+02:00" },
    { ...waiting("c"), oldest_since: null },
  ],
};

function waiting(id: string) {
  return { erp_connection_id: id, waiting: 1, retrying: 0, held: 0, ack_overdue: 0 };
}

test("sums are told apart by what they are sums of, and quiet days are days", () => {
  const days = byDay(FOUND, ["2026-03-01", "2026-03-02"]);
  expect(days.map(({ key, pushed }) => [key, pushed])).toEqual([
    ["2026-03-01", 3],
    ["2026-03-02", 0],
  ]);
  expect(byConnection(FOUND).map(({ key, pushed }) => [key, pushed])).toEqual([["a", 4]]);
  expect(total(FOUND).pushed).toBe(5);
  expect(total({ figures: [], waiting: [] })).toEqual(NOTHING);
});

test("the oldest is the earliest moment, however it is written", () => {
  expect(oldest(FOUND)).toBe("2026-03-01T10:30:00+02:00");
  expect(oldest({ figures: [], waiting: [] })).toBeUndefined();
});

test("a scale ends at a round number", () => {
  expect([0, 1, 3, 12, 51, 700].map(ceiling)).toEqual([1, 1, 5, 20, 100, 1000]);
});
