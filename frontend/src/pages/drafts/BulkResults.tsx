/** What became of each draft: those that did not go well first. */
import { useTranslation } from "react-i18next";

import { explain, explainProblem } from "../../i18n/explain";
import { Banner } from "../../ui/Banner";
import type { Result } from "./bulk";
import styles from "./DraftList.module.css";

export function BulkResults({ results }: { readonly results: readonly Result[] }) {
  const { t } = useTranslation();
  const others = results.filter((each) => "problem" in each || "failure" in each);
  const well = results.filter((each) => !others.includes(each));
  return (
    <>
      <Banner tone={others.length === 0 ? "success" : "warning"}>
        {t("drafts.bulk.summary", { well: well.length, others: others.length })}
      </Banner>
      <div
        className={styles.results}
        role="region"
        aria-label={t("drafts.bulk.results")}
        tabIndex={0}
      >
        <table className={styles.table}>
          <caption className="visually-hidden">{t("drafts.bulk.results")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("drafts.reference")}</th>
              <th scope="col">{t("drafts.bulk.result")}</th>
            </tr>
          </thead>
          <tbody>
            {[...others, ...well].map((each) => (
              <tr key={each.row.id}>
                <th scope="row">{each.row.external_ref}</th>
                <td>
                  <Outcome result={each} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Outcome({ result }: { readonly result: Result }) {
  const { t } = useTranslation();
  if (result.problem !== undefined) return <>{explainProblem(t, result.problem)}</>;
  if ("failure" in result)
    return <>{t("drafts.bulk.unknown", { reason: explain(t, result.failure) })}</>;
  return <>{t("drafts.bulk.done")}</>;
}
