/** Where the draft stands, what that means now, and the same for a screen reader when it changes. */
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { type Format, useFormat } from "../../i18n/format";
import { StatusBadge } from "../../ui/StatusBadge";
import styles from "./DraftDetail.module.css";

export function StatusLine({ draft }: { readonly draft: DraftDetailReply }) {
  const { t } = useTranslation();
  const meaning = meaningOf(t, useFormat(), draft);
  return (
    <p className={styles.status}>
      <StatusBadge status={draft.status} /> <span>{meaning}</span>
      <span className="visually-hidden" role="status">
        {t("draft.statusIs", { status: t(`common.status.${draft.status}`), meaning })}
      </span>
    </p>
  );
}

function meaningOf(t: TFunction, format: Format, draft: DraftDetailReply): string {
  const when = (moment: string | null) => (moment === null ? "" : format.moment(moment));
  const { approval, rejection } = draft;
  switch (draft.status) {
    case "NEEDS_REVIEW":
      return draft.blocking_reasons.length === 0
        ? t("draft.meaning.NEEDS_REVIEW_clean")
        : t("draft.meaning.NEEDS_REVIEW");
    case "APPROVED":
      return t("draft.meaning.APPROVED", {
        who: approval?.approved_by_user_id,
        when: when(approval?.approved_at ?? null),
      });
    case "REJECTED":
      return t("draft.meaning.REJECTED", {
        who: rejection?.rejected_by_user_id,
        when: when(rejection?.rejected_at ?? null),
        reason: rejection?.reason,
      });
    case "PUSHING":
      return onItsWay(t, draft, when);
    case "PUSHED":
      return delivered(t, draft);
    default:
      return t(`draft.meaning.${draft.status}`);
  }
}

function onItsWay(
  t: TFunction,
  draft: DraftDetailReply,
  when: (moment: string | null) => string,
): string {
  const last = draft.exports?.[0];
  if (last?.outcome_unknown_since != null) return t("draft.meaning.PUSHING_held");
  if (last?.error != null) {
    return t("draft.meaning.PUSHING_waiting", {
      attempt: last.error.attempt,
      when: when(last.next_attempt_at),
    });
  }
  return t("draft.meaning.PUSHING");
}

function delivered(t: TFunction, draft: DraftDetailReply): string {
  const last = draft.exports?.[0];
  if (last?.status !== "ACKED") return t("draft.meaning.PUSHED");
  if (last.erp_order_id === null) return t("draft.meaning.PUSHED_acked");
  return t("draft.meaning.PUSHED_order", { order: last.erp_order_id });
}
