/** Who did what to the draft, with the proof that each event is what was recorded. */
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { AuditEvent } from "./AuditEvent";
import { ChainCheck } from "./ChainCheck";
import type { Proof } from "./chainLink";
import { useHistory } from "./useHistory";
import { useProofs } from "./useProofs";
import styles from "./DraftDetail.module.css";

export function AuditTimeline({ draft }: { readonly draft: DraftDetailReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { events, older } = useHistory(draft);
  const proofs = useProofs(events);
  return (
    <section className={styles.card} aria-labelledby="history">
      <h2 id="history">{t("history.title")}</h2>
      {draft.audit_trail === null && <p>{t("draft.away.audit")}</p>}
      {draft.audit_trail?.length === 0 && <p className="muted">{t("history.none")}</p>}
      <ChainCheck />
      <Verdict proofs={events.map((event) => proofs.get(event))} />
      <ol className={styles.timeline}>
        {events.map((event) => (
          <AuditEvent key={event.event_id} event={event} proof={proofs.get(event)} />
        ))}
      </ol>
      {older.error !== null && <ProblemNotice error={older.error} />}
      {older.exist && (
        <div className={styles.actions}>
          <Button onPress={older.show}>
            {t(older.busy ? "history.loading" : "history.older")}
          </Button>
          <span className="muted">
            {t("history.shown", { count: events.length, shown: format.count(events.length) })}
          </span>
        </div>
      )}
    </section>
  );
}

/** Nothing is said of all while one is not computed. */
function Verdict({ proofs }: { readonly proofs: readonly (Proof | undefined)[] }) {
  const { t } = useTranslation();
  const broken = proofs.filter((each) => each === "broken").length;
  if (broken > 0) return <p className="banner danger">{t("history.broken", { count: broken })}</p>;
  if (proofs.length === 0 || proofs.includes(undefined)) return null;
  if (proofs.includes("unknown")) return <p className="muted">{t("history.proof.unknown")}</p>;
  return <p className="muted">{t("history.proven", { count: proofs.length })}</p>;
}
