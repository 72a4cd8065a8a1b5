/** The exact bytes that went out: saved on request, after their digest was checked in the browser. */
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { ExportReply } from "../../api/schema";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { hex } from "./chainLink";
import { save } from "./savedFile";
import styles from "./DraftDetail.module.css";

export function ExportDocument({ export: it }: { readonly export: ExportReply }) {
  const { t } = useTranslation();
  const download = useMutation({ mutationFn: () => fetched(it) });
  if (it.document_sha256 === null) return null;
  const checked = download.data;
  return (
    <div className={styles.column}>
      <div className={styles.actions}>
        <Button
          onPress={() => {
            download.mutate(undefined, {
              onSuccess: ({ bytes, holds }) => {
                if (holds !== false) save(bytes, it.file_name ?? `${it.id}.json`);
              },
            });
          }}
        >
          {t(it.sent_at === null ? "exports.downloadUnsent" : "exports.download")}
        </Button>
      </div>
      <code className={styles.hash}>{it.document_sha256}</code>
      {checked?.holds === true && <p role="status">{t("exports.digestHolds")}</p>}
      {checked?.holds === false && (
        <p className="banner danger" role="alert">
          {t("exports.digestBroken")}
        </p>
      )}
      {download.error !== null && <ProblemNotice error={download.error} />}
    </div>
  );
}

interface Fetched {
  readonly bytes: ArrayBuffer;
  /** Whether the bytes have the digest on record; undefined where the browser cannot tell. */
  readonly holds: boolean | undefined;
}

async function fetched(it: ExportReply): Promise<Fetched> {
  const { data } = await api.GET("/erp-exports/{id}/document", {
    params: { path: { id: it.id } },
    parseAs: "arrayBuffer",
  });
  const bytes = data as unknown as ArrayBuffer;
  if (!window.isSecureContext) return { bytes, holds: undefined };
  const digest = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  return { bytes, holds: digest === it.document_sha256 };
}
