/** What workers last said of the connection's server. */
import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { failureLabel } from "./labels";
import styles from "./Connections.module.css";

const TONES = { CLOSED: styles.good, HALF_OPEN: styles.doubtful, OPEN: styles.bad } as const;

export function Health({ health }: { readonly health: ConnectionReply["health"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (health === null) return <span className="muted">{t("connections.healthUnknown")}</span>;
  return (
    <>
      <span className={`status ${TONES[health.breaker] ?? ""}`}>
        {t(`connections.breaker.${health.breaker}`)}
      </span>
      {health.breaker !== "CLOSED" && (
        <small className={styles.why}>
          {health.failure !== null && failureLabel(t, health.failure)}
          {health.since !== null &&
            ` ${t("connections.since", { when: format.moment(health.since) })}`}
        </small>
      )}
    </>
  );
}
