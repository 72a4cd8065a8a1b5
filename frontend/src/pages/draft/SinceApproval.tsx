/** What changed since somebody last approved the order, so that only that has to be read again. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, body } from "../../api/client";
import type { DraftDetailReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { useLastApproval } from "./useLastApproval";
import { ContentDiff } from "./ContentDiff";
import styles from "./DraftDetail.module.css";

export function SinceApproval({ draft }: { readonly draft: DraftDetailReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const last = useLastApproval(draft);
  const stands = draft.approval !== null || last?.contentVersion === draft.content_version;
  const { data, error } = useQuery({
    queryKey: ["drafts", "content", draft.id, last?.contentVersion],
    queryFn: ({ signal }) =>
      body(
        api.GET("/draft-orders/{id}/contents/{content_version}", {
          signal,
          params: { path: { id: draft.id, content_version: last?.contentVersion ?? 0 } },
        }),
      ),
    // A content never changes.
    staleTime: Infinity,
    enabled: last !== undefined && !stands,
  });
  if (last === undefined || stands) return null;
  return (
    <section className={styles.card} aria-labelledby="since">
      <h2 id="since">{t("draft.since")}</h2>
      <p className="muted">
        {t("draft.sinceBy", {
          who: last.who,
          when: last.at === null ? "" : format.moment(last.at),
          version: last.contentVersion,
        })}
      </p>
      {error !== null && <ProblemNotice error={error} />}
      {data !== undefined && <ContentDiff before={data} after={draft} />}
    </section>
  );
}
