/** What earlier steps (extraction, validation) remarked. */
import { useTranslation } from "react-i18next";

import type { DraftDetailReply, IssueReply } from "../../api/schema";
import { useMay } from "../../auth/permissions";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { settleIssue } from "./acts";
import { EDITABLE } from "./editable";
import { useAct } from "./useAct";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly draft: DraftDetailReply;
  readonly editing: boolean;
}

export function Issues({ draft, editing }: Props) {
  const { t } = useTranslation();
  const may = useMay();
  const settle = useAct(draft.id, (issue: IssueReply) =>
    settleIssue(draft.id, draft.version, issue.id),
  );
  if (draft.issues.length === 0) return null;
  const settles = may("edit") && EDITABLE.has(draft.status) && !editing;
  return (
    <section className={styles.card} aria-labelledby="issues">
      <h2 id="issues">{t("draft.issues")}</h2>
      <ul className={styles.issues}>
        {draft.issues.map((issue) => (
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
            {settles && !issue.resolved && (
              <Button
                isDisabled={settle.busy}
                onPress={() => {
                  settle.run(issue);
                }}
              >
                {t("act.settleIssue")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {settle.error !== null && <ProblemNotice error={settle.error} />}
    </section>
  );
}
