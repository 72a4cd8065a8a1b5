/** What waits now, by connection, whenever it was pushed. */
import { useTranslation } from "react-i18next";

import type { WaitingFiguresReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import styles from "./Overview.module.css";

interface Props {
  readonly rows: readonly WaitingFiguresReply[];
  readonly name: (id: string) => string;
}

const COUNTS = ["waiting", "retrying", "held", "ack_overdue"] as const;

export function Waiting({ rows, name }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className={styles.card} aria-labelledby="waiting-now">
      <h2 id="waiting-now">{t("overview.waitingNow")}</h2>
      {rows.length === 0 ? (
        <p>{t("overview.nothingWaits")}</p>
      ) : (
        <table className={styles.table}>
          <caption className="visually-hidden">{t("overview.waitingNow")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("overview.connection")}</th>
              {COUNTS.map((each) => (
                <th key={each} scope="col" className="number">
                  {t(`overview.${each}`)}
                </th>
              ))}
              <th scope="col">{t("overview.oldest")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.erp_connection_id}>
                <th scope="row">{name(row.erp_connection_id)}</th>
                {COUNTS.map((each) => (
                  <td key={each} className="number">
                    {format.count(row[each])}
                  </td>
                ))}
                <td>{row.oldest_since !== null && format.moment(row.oldest_since)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
