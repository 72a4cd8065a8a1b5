import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { texts as german } from "../../i18n/de";
import { texts as english } from "../../i18n/en";
import { byPath, pathOf } from "./reasons";

const check = readFileSync(
  `${import.meta.dirname}/../../../../services/approval/src/countersign_approval/ready_check.py`,
  "utf8",
);
const codes = [...check.matchAll(/BlockingReason\("(\w+)"/g)].map(([, code]) => code ?? "");

test("every finding of the ready check has a text in both languages", () => {
  expect(codes.length).toBeGreaterThan(8);
  for (const code of new Set(codes)) {
    expect(Object.keys(english.draft.reason), code).toContain(code);
    expect(Object.keys(german.draft.reason), code).toContain(code);
  }
});

test("a finding stands beside the field that it is about", () => {
  const finding = (code: string, line_no: number | null) => ({ code, message: "m", line_no });
  expect(pathOf(finding("CUSTOMER_MISSING", null))).toBe("customer.erp_customer_number");
  expect(pathOf(finding("LINE_QTY_NOT_POSITIVE", 7))).toBe("lines[7].qty");
  expect(pathOf(finding("OPEN_ISSUE", 7))).toBe("lines[7]");
  expect([...byPath([finding("OPEN_ISSUE", null), finding("MORE_REASONS", null)]).keys()]).toEqual([
    "",
  ]);
});
