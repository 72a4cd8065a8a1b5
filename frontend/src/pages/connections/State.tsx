/** Whether a connection takes pushes; never by colour alone. */
import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import styles from "./Connections.module.css";

const TONES = { ACTIVE: styles.good, PAUSED: styles.doubtful, DISABLED: "" } as const;

export function State({ status }: { readonly status: ConnectionReply["status"] }) {
  const { t } = useTranslation();
  return (
    <span className={`status ${TONES[status] ?? ""}`}>{t(`connections.status.${status}`)}</span>
  );
}
