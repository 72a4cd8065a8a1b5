/** Beside the status: what a person would ask next. */
import type { TFunction } from "i18next";

import type { Format } from "../../i18n/format";
import { lookup } from "../../i18n/lookup";
import { reasonText } from "../draft/reasons";
import type { Row } from "./queries";

/** Undefined when there is nothing to add. */
export function exportHint(
  t: TFunction,
  format: Format,
  row: Row,
  now: number,
): string | undefined {
  if (row.status === "NEEDS_REVIEW") return blocked(t, row);
  const last = row.last_export;
  if (last === null) return undefined;
  if (row.status === "ERROR")
    return last.error === null ? undefined : errorText(t, last.error.code);
  if (row.status === "PUSHING") {
    if (last.outcome_unknown_since !== null) return t("drafts.hint.held");
    if (last.error === null) return undefined;
    const next = last.next_attempt_at === null ? "" : format.ago(last.next_attempt_at, now);
    return t("drafts.hint.retrying", { code: errorText(t, last.error.code), next });
  }
  if (row.status !== "PUSHED") return undefined;
  if (last.erp_order_id !== null) return t("drafts.hint.acked", { order: last.erp_order_id });
  const overdue =
    last.status === "SENT" && last.ack_due_at !== null && Date.parse(last.ack_due_at) < now;
  return overdue ? t("drafts.hint.overdue") : undefined;
}

function errorText(t: TFunction, code: string): string {
  return lookup(t, `exports.error.${code}`, code);
}

function blocked(t: TFunction, row: Row): string | undefined {
  const [first, ...rest] = row.blocking_reasons;
  if (first === undefined) return undefined;
  return rest.length === 0
    ? reasonText(t, first)
    : t("drafts.hint.more", { message: reasonText(t, first), count: rest.length });
}
