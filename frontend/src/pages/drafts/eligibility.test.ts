import { expect, test } from "vitest";

import type { DraftStatus } from "../../api/schema";
import { type Circumstances, isAbove, obstacle, sorted } from "./eligibility";
import type { Row } from "./queries";

const alone: Circumstances = { subject: "olga", fourEyesAbove: null, hasConnection: true };
const twoAbove100: Circumstances = { ...alone, fourEyesAbove: "100" };

function row(status: DraftStatus, changes: Partial<Row> = {}): Row {
  return { id: "d", status, total_value: "250.00", ...changes } as Row;
}

test("ready drafts can be approved, approved ones pushed, and no others", () => {
  for (const status of ["NEEDS_REVIEW", "READY", "APPROVED", "PUSHING", "ERROR"] as const) {
    expect(obstacle("approve", row(status), alone) === undefined).toBe(status === "READY");
    expect(obstacle("push", row(status), alone) === undefined).toBe(status === "APPROVED");
  }
});

test("above the threshold the editor does not approve and the approver does not push", () => {
  const own = { last_edited_by_user_id: "olga", approved_by_user_id: "olga" };
  expect(obstacle("approve", row("READY", own), twoAbove100)).toEqual({ kind: "fourEyes" });
  expect(obstacle("push", row("APPROVED", own), twoAbove100)).toEqual({ kind: "fourEyes" });
  const small = { ...own, total_value: "100.00" };
  expect(obstacle("approve", row("READY", small), twoAbove100)).toBeUndefined();
  const foreign = { ...own, last_edited_by_user_id: "otto" };
  expect(obstacle("approve", row("READY", foreign), twoAbove100)).toBeUndefined();
});

test("without a connection nothing can be pushed, and everything approved", () => {
  const nowhere = { ...alone, hasConnection: false };
  expect(obstacle("push", row("APPROVED"), nowhere)).toEqual({ kind: "noConnection" });
  expect(obstacle("approve", row("READY"), nowhere)).toBeUndefined();
});

test("the others are told apart by what stands in their way", () => {
  const rows = [row("READY"), row("PUSHED"), row("ERROR"), row("PUSHED")];
  const found = sorted("approve", rows, alone);
  expect(found.eligible).toHaveLength(1);
  expect(found.others.map((each) => each.rows.length)).toEqual([2, 1]);
});

test("decimals are compared by their digits", () => {
  expect(isAbove("900719925474.0993", "900719925474.0992")).toBe(true);
  expect(isAbove("100.000000", "100")).toBe(false);
  expect(isAbove("9.5", "10")).toBe(false);
});
