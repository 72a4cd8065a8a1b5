/** Every export of the draft, newest first. */
import { useTranslation } from "react-i18next";

import type { ExportReply } from "../../api/schema";
import { ExportAttempt } from "./ExportAttempt";
import styles from "./DraftDetail.module.css";

export function ExportHistory({ exports }: { readonly exports: readonly ExportReply[] | null }) {
  const { t } = useTranslation();
  return (
    <section className={styles.card} aria-labelledby="exports">
      <h2 id="exports">{t("exports.title")}</h2>
      {exports === null && <p>{t("draft.away.exports")}</p>}
      {exports?.length === 0 && <p className="muted">{t("exports.none")}</p>}
      {exports?.map((each, place) => (
        <ExportAttempt key={each.id} export={each} number={exports.length - place} />
      ))}
    </section>
  );
}
