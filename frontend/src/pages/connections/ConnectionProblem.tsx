/** Why something with a connection did not go well; what fields say is left to the fields. */
import { useTranslation } from "react-i18next";

import { Problem } from "../../api/problem";
import type { FieldProblemReply } from "../../api/schema";
import { lookup } from "../../i18n/lookup";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { failureLabel, stepLabel } from "./labels";

interface Props {
  readonly error: unknown;
  /** Malformed fields that have no place of their own. */
  readonly others?: readonly FieldProblemReply[];
}

export function ConnectionProblem({ error, others }: Props) {
  const { t } = useTranslation();
  if (!(error instanceof Problem)) return <ProblemNotice error={error} />;
  const { detail, current, request_id: id, ...rest } = error.document;
  const facts = rest as Record<string, unknown>;
  const sentence = lookup(t, `connections.problem.${error.code}`, "", {
    detail,
    current: lookup(t, `connections.status.${current ?? ""}`, current ?? ""),
    failure: failureLabel(t, text(facts.failure)),
    step: stepLabel(t, text(facts.step)),
  });
  if (sentence === "") return <ProblemNotice error={error} />;
  const listed = others ?? error.document.errors ?? [];
  return (
    <div className="banner danger" role="alert">
      {sentence}
      {listed.length > 0 && (
        <ul>
          {listed.map((each) => (
            <li key={each.field}>
              <code>{each.field}</code> {each.detail}
            </li>
          ))}
        </ul>
      )}
      {id !== undefined && <small>{t("problems.requestId", { id })}</small>}
    </div>
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
