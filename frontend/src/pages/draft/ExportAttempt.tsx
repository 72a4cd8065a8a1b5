/** One export: where it stands, what went wrong, how its delivery is known. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { ExportErrorReply, ExportReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { lookup } from "../../i18n/lookup";
import { ExportActions } from "./ExportActions";
import { ExportDocument } from "./ExportDocument";
import { Fact } from "./Fact";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly export: ExportReply;
  readonly number: number;
}

export function ExportAttempt({ export: it, number }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const when = (moment: string | null): string | null => moment && format.moment(moment);
  const heading = `export-${it.id}`;
  return (
    <article className={styles.entry} aria-labelledby={heading}>
      <h3 id={heading}>
        {t("exports.one", { number })}{" "}
        <span className="status" data-status={it.status}>
          {t(`exports.status.${it.status}`)}
        </span>
      </h3>
      <p className="muted">
        {t("exports.startedBy", { who: it.created_by_user_id ?? "", when: when(it.created_at) })}
      </p>
      <Warnings export={it} when={when} />
      <dl className={styles.facts}>
        <Fact label={t("exports.lastError")}>{it.error && <Failure error={it.error} />}</Fact>
        <Fact label={t("exports.attempts")}>{format.count(it.attempt)}</Fact>
        <Fact label={t("exports.nextAttempt")}>
          {it.status === "PENDING" && (when(it.next_attempt_at) ?? t("exports.underWay"))}
        </Fact>
        <Fact label={t("exports.retryReason")}>{it.retry_reason}</Fact>
        <Fact label={t("exports.sentAt")}>{when(it.sent_at)}</Fact>
        <Fact label={t("exports.evidence")}>
          {it.evidence && t(`exports.evidenceOf.${it.evidence}`)}
        </Fact>
        <Fact label={t("exports.ackedAt")}>{when(it.acked_at)}</Fact>
        <Fact label={t("exports.erpOrder")}>{it.erp_order_id}</Fact>
        <Fact label={t("exports.ackDue")}>{it.status === "SENT" && when(it.ack_due_at)}</Fact>
        <Fact label={t("exports.file")}>{it.file_name && <code>{it.file_name}</code>}</Fact>
      </dl>
      <ExportDocument export={it} />
      <ExportActions export={it} />
    </article>
  );
}

function Warnings({
  export: it,
  when,
}: {
  readonly export: ExportReply;
  readonly when: (moment: string | null) => string | null;
}): ReactNode {
  const { t } = useTranslation();
  const warnings = [
    it.outcome_unknown_since && t("exports.held", { when: when(it.outcome_unknown_since) }),
    it.status === "PENDING" &&
      it.cancel_requested_at &&
      t("exports.cancelRequested", { when: when(it.cancel_requested_at) }),
  ].filter((each) => typeof each === "string");
  return warnings.map((each) => (
    <p key={each} className="banner warning">
      {each}
    </p>
  ));
}

function Failure({ error }: { readonly error: ExportErrorReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <>
      {lookup(t, `exports.error.${error.code}`, error.code)}
      {error.message !== null && <span className={styles.message}>{error.message}</span>}
      <small className="muted">
        {t("exports.errorAt", {
          attempt: error.attempt,
          when: error.at === null ? "" : format.moment(error.at),
        })}{" "}
        <code>{error.code}</code>
      </small>
    </>
  );
}
