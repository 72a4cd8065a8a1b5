/** Who did what to the draft, with the proof that each event is what was recorded. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import type { AuditEventReply } from "../../api/schema";
import { AuditEvent } from "./AuditEvent";
import { ChainCheck } from "./ChainCheck";
import { type Proof, proofOf } from "./chainLink";
import styles from "./DraftDetail.module.css";

export function AuditTimeline({ events }: { readonly events: readonly AuditEventReply[] | null }) {
  const { t } = useTranslation();
  const proofs = useProofs(events ?? []);
  return (
    <section className={styles.card} aria-labelledby="history">
      <h2 id="history">{t("history.title")}</h2>
      {events === null && <p>{t("draft.away.audit")}</p>}
      {events?.length === 0 && <p className="muted">{t("history.none")}</p>}
      <ChainCheck />
      <Verdict proofs={proofs} />
      <ol className={styles.timeline}>
        {events?.map((event, place) => (
          <AuditEvent key={event.event_id} event={event} proof={proofs?.[place]} />
        ))}
      </ol>
    </section>
  );
}

/** One proof per event, in their order; undefined until all are computed. */
function useProofs(events: readonly AuditEventReply[]): readonly Proof[] | undefined {
  const { data } = useQuery({
    queryKey: ["proofs", events],
    queryFn: () => Promise.all(events.map(proofOf)),
    staleTime: Infinity,
    enabled: events.length > 0,
    placeholderData: (old) => old,
  });
  return data;
}

function Verdict({ proofs }: { readonly proofs: readonly Proof[] | undefined }) {
  const { t } = useTranslation();
  if (proofs === undefined || proofs.length === 0) return null;
  const broken = proofs.filter((each) => each === "broken").length;
  if (broken > 0) return <p className="banner danger">{t("history.broken", { count: broken })}</p>;
  if (proofs.includes("unknown")) return <p className="muted">{t("history.proof.unknown")}</p>;
  return <p className="muted">{t("history.proven", { count: proofs.length })}</p>;
}
