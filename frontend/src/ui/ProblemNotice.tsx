/** Why something did not go well, in the person's language, with the request's id for support. */
import { useTranslation } from "react-i18next";

import { Problem } from "../api/problem";
import { explain } from "../i18n/explain";

export function ProblemNotice({ error }: { readonly error: unknown }) {
  const { t } = useTranslation();
  const id = error instanceof Problem ? error.document.request_id : undefined;
  return (
    <div className="banner danger" role="alert">
      {explain(t, error)}
      {error instanceof Problem && (
        <ul>
          {error.document.errors?.map((each) => (
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
