/** The very document that a push delivers, laid out for people. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { DraftDetailReply } from "../../api/schema";
import { Dialog } from "../../ui/Dialog";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { indented } from "./jsonText";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly draft: DraftDetailReply;
  readonly onClose: () => void;
}

export function ExportPreview({ draft, onClose }: Props) {
  const { t } = useTranslation();
  const { id, version } = draft;
  const { data, error } = useQuery({
    queryKey: ["drafts", "preview", id, version],
    queryFn: async ({ signal }) => {
      const found = await api.GET("/draft-orders/{id}/export-preview", {
        signal,
        params: { path: { id } },
        parseAs: "text",
      });
      return indented(found.data as unknown as string);
    },
  });
  const sent = draft.status === "PUSHING" || draft.status === "PUSHED";
  return (
    <Dialog title={t(sent ? "act.previewSent" : "act.previewTitle")} wide onClose={onClose}>
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? (
        error === null && <Loading />
      ) : (
        // Reached by Tab, so that it can be scrolled by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre className={styles.document} tabIndex={0}>
          {data}
        </pre>
      )}
    </Dialog>
  );
}
