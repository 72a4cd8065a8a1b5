/** What the person is about to decide on, in two lines. */
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import styles from "./DraftDetail.module.css";

export function Summary({ draft }: { readonly draft: DraftDetailReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const total =
    draft.total_value === null ? "" : format.money(draft.total_value, draft.header.currency);
  return (
    <p className={styles.summary}>
      <strong>{draft.customer.name ?? draft.customer.erp_customer_number ?? ""}</strong>{" "}
      {draft.header.external_order_number}
      <br />
      {t("act.summary", { count: draft.lines.length, total })}
      {" · "}
      {t("draft.version", { version: draft.version })}
    </p>
  );
}
