/** Which field a finding of the ready check is about, so that it can stand beside that field. */
import type { TFunction } from "i18next";

import type { BlockingReasonReply } from "../../api/schema";
import { lookup } from "../../i18n/lookup";

const ORDER: Record<string, string> = {
  CUSTOMER_MISSING: "customer.erp_customer_number",
  CURRENCY_MISSING: "header.currency",
  CURRENCY_UNKNOWN: "header.currency",
  NO_LINES: "lines",
};
const LINE: Record<string, string> = {
  LINE_QTY_MISSING: "qty",
  LINE_QTY_NOT_POSITIVE: "qty",
  LINE_UOM_MISSING: "uom",
  LINE_SKU_MISSING: "internal_sku",
};

export type Reasons = ReadonlyMap<string, readonly BlockingReasonReply[]>;

/** Findings by the path of their field; what belongs to no field stands under "". */
export function byPath(reasons: readonly BlockingReasonReply[]): Reasons {
  const found = new Map<string, BlockingReasonReply[]>();
  for (const reason of reasons) {
    const path = pathOf(reason);
    found.set(path, [...(found.get(path) ?? []), reason]);
  }
  return found;
}

export function pathOf(reason: BlockingReasonReply): string {
  if (reason.line_no === null) return ORDER[reason.code] ?? "";
  const field = LINE[reason.code];
  const line = `lines[${reason.line_no}]`;
  return field === undefined ? line : `${line}.${field}`;
}

/** The finding in the person's language; an unknown one in the server's words. */
export function reasonText(t: TFunction, reason: BlockingReasonReply): string {
  return lookup(t, `draft.reason.${reason.code}`, reason.message, {
    line: reason.line_no,
    message: reason.message,
  });
}
