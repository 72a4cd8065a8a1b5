/** One event of the trail: who, what, when, before and after, and its link in the chain. */
import { useTranslation } from "react-i18next";

import type { AuditEventReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { lookup } from "../../i18n/lookup";
import type { Proof } from "./chainLink";
import { type Turn, turns } from "./eventChanges";
import { Fact } from "./Fact";
import { fieldLabel } from "./labels";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly event: AuditEventReply;
  readonly proof: Proof | undefined;
}

export function AuditEvent({ event, proof }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const action = event.after?.validated === true ? "DRAFT_VALIDATED" : event.action;
  const reason = event.after?.reason;
  return (
    <li className={styles.entry}>
      <strong>{lookup(t, `history.action.${action}`, action)}</strong>
      <span className="muted">
        {t("history.by", {
          who: event.actor_user_id ?? t("history.system"),
          when: event.occurred_at === null ? "" : format.moment(event.occurred_at),
        })}
      </span>
      {typeof reason === "string" && <q>{reason}</q>}
      <details>
        <summary>
          {t("history.details")} <span className="muted">#{event.seq}</span>
          {proof === "broken" && (
            <span className={styles.finding}>{t("history.proof.broken")}</span>
          )}
        </summary>
        <Turns turns={turns(event)} />
        <dl className={styles.facts}>
          <Fact label={t("history.link", { seq: event.seq })}>
            {proof !== undefined && t(`history.proof.${proof}`)}
          </Fact>
          <Fact label={t("history.hash")}>
            <code className={styles.hash}>{event.hash}</code>
          </Fact>
          <Fact label={t("history.previous")}>
            <code className={styles.hash}>{event.prev_hash}</code>
          </Fact>
          <Fact label={t("history.request")}>{event.request_id}</Fact>
          <Fact label={t("history.address")}>{event.ip}</Fact>
        </dl>
      </details>
    </li>
  );
}

function Turns({ turns }: { readonly turns: readonly Turn[] }) {
  const { t } = useTranslation();
  if (turns.length === 0) return null;
  return (
    <table className={styles.turns}>
      <thead>
        <tr>
          <th scope="col">{t("history.field")}</th>
          <th scope="col">{t("history.before")}</th>
          <th scope="col">{t("history.after")}</th>
        </tr>
      </thead>
      <tbody>
        {turns.map(({ path, before, after }) => (
          <tr key={path}>
            <th scope="row">{fieldLabel(t, path)}</th>
            <td>{before}</td>
            <td>{after}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
