/** One draft order: what it says, where it stands, what happened to it. */
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { useMay } from "../../auth/permissions";
import { useFormat } from "../../i18n/format";
import { useShortcuts } from "../../keyboard/shortcuts";
import { Button } from "../../ui/Button";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { AuditTimeline } from "./AuditTimeline";
import { lineOf } from "./content";
import { DraftActions } from "./DraftActions";
import { EDITABLE } from "./editable";
import { EditBar } from "./EditBar";
import { ExportHistory } from "./ExportHistory";
import { Findings, anchorOf } from "./Findings";
import { Issues } from "./Issues";
import { Lines } from "./Lines";
import type { LinesHandle } from "./LinesTable";
import { OrderFields } from "./OrderFields";
import { draftQuery } from "./queries";
import { byPath } from "./reasons";
import { SinceApproval } from "./SinceApproval";
import { StatusLine } from "./StatusLine";
import { useEditor } from "./useEditor";
import styles from "./DraftDetail.module.css";

const route = getRouteApi("/drafts/$draftId");

export function DraftDetail() {
  const { t } = useTranslation();
  const { draftId } = route.useParams();
  const { data: draft, error } = useQuery(draftQuery(draftId));
  return (
    <section className="page">
      <Link to="/drafts">{t("draft.back")}</Link>
      {error !== null && <ProblemNotice error={error} />}
      {draft === undefined ? error === null && <Loading /> : <Found key={draft.id} draft={draft} />}
    </section>
  );
}

function Found({ draft }: { readonly draft: DraftDetailReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const lines = useRef<LinesHandle>(null);
  const { editor, begin } = useEditor(draft);
  const editable = useMay()("edit") && EDITABLE.has(draft.status) && editor === undefined;
  useShortcuts([{ key: "e", label: t("act.edit"), enabled: editable, run: begin }]);
  const reasons = useMemo(() => byPath(draft.blocking_reasons), [draft.blocking_reasons]);
  const go = (path: string) => {
    const place = lineOf(path);
    if (place !== undefined) lines.current?.goTo(place.line);
    else document.getElementById(anchorOf(path))?.focus();
  };
  return (
    <>
      <title>{t("draft.titled", { reference: draft.external_ref })}</title>
      <header className={styles.top}>
        <h1>{draft.external_ref}</h1>
        <StatusLine draft={draft} />
        <p className="muted">
          {t("draft.version", { version: draft.version })}
          {" · "}
          {t("draft.submitted", {
            who: draft.created_by_user_id ?? "",
            when: draft.created_at === null ? "" : format.moment(draft.created_at),
          })}
          {" · "}
          {t("draft.edited", { who: draft.last_edited_by_user_id ?? "" })}
        </p>
        {/* What is half changed is neither approved nor pushed. */}
        {editor === undefined && (
          <DraftActions draft={draft}>
            {editable && (
              <Button aria-keyshortcuts="e" onPress={begin}>
                {t("act.edit")}
              </Button>
            )}
          </DraftActions>
        )}
      </header>
      {editor !== undefined && <EditBar draft={draft} editor={editor} />}
      <Findings reasons={draft.blocking_reasons} onGo={go} />
      <div className={styles.columns}>
        <div className={styles.column}>
          <OrderFields draft={draft} reasons={reasons} editor={editor} />
          <Lines draft={draft} reasons={reasons} editor={editor} ref={lines} />
          <Issues draft={draft} editing={editor !== undefined} />
        </div>
        <div className={styles.column}>
          <SinceApproval draft={draft} />
          <ExportHistory exports={draft.exports} />
          <AuditTimeline draft={draft} />
        </div>
      </div>
    </>
  );
}
