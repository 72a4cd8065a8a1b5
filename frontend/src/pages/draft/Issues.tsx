/** What earlier steps (extraction, validation) remarked. */
import { useTranslation } from "react-i18next";

import type { IssueReply } from "../../api/schema";
import styles from "./DraftDetail.module.css";

export function Issues({ issues }: { readonly issues: readonly IssueReply[] }) {
  const { t } = useTranslation();
  if (issues.length === 0) return null;
  return (
    <section className={styles.card} aria-labelledby="issues">
      <h2 id="issues">{t("draft.issues")}</h2>
      <ul className={styles.issues}>
        {issues.map((issue) => (
          <li key={issue.id} data-severity={issue.resolved ? "RESOLVED" : issue.severity}>
            <span className={styles.severity}>
              {issue.resolved
                ? t("draft.issue.resolved")
                : t(`draft.issue.severity.${issue.severity}`)}
            </span>
            <span>
              {issue.line_no !== null && `${t("draft.issue.line", { line: issue.line_no })}: `}
              {issue.message ?? issue.code} <code className="muted">{issue.code}</code>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
