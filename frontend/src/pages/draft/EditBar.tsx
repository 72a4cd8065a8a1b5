/** Save, drop, and what stands in the way of saving; always in sight while one edits. */
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "../../api/problem";
import type { DraftDetailReply } from "../../api/schema";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { EditConflict } from "./EditConflict";
import type { Editor } from "./useEditor";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly draft: DraftDetailReply;
  readonly editor: Editor;
}

export function EditBar({ draft, editor }: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { base, busy, complete, count, error } = editor;
  const changed = draft.version !== base.version && !busy;
  useSaveKey(editor, !changed);
  return (
    <section className={styles.editBar} aria-label={t("edit.bar")}>
      {changed && <EditConflict draft={draft} editor={editor} />}
      {!changed && base.status === "APPROVED" && (
        <p className="banner warning">{t("edit.revokes")}</p>
      )}
      {error !== null && !isConflict(error) && <ProblemNotice error={error} />}
      <div className={styles.actions}>
        <span role="status">{t("edit.count", { count })}</span>
        <Button
          variant="primary"
          isDisabled={changed || !complete || count === 0}
          onPress={editor.save}
        >
          {busy ? t("act.busy") : t("edit.save")}
        </Button>
        <Button
          onPress={() => {
            if (count === 0 && complete) editor.drop();
            else setAsking(true);
          }}
        >
          {t("edit.drop")}
        </Button>
        {!complete && <span className={styles.finding}>{t("edit.incomplete")}</span>}
      </div>
      {asking && (
        <Dialog
          title={t("edit.dropTitle")}
          closeLabel={t("edit.goOn")}
          onClose={() => {
            setAsking(false);
          }}
          actions={
            <Button variant="danger" onPress={editor.drop}>
              {t("edit.drop")}
            </Button>
          }
        >
          <p>{t("edit.count", { count })}</p>
        </Dialog>
      )}
    </section>
  );
}

/** Control and S save, wherever the focus is. */
function useSaveKey(editor: Editor, on: boolean): void {
  const save = useRef(editor.save);
  useEffect(() => {
    save.current = editor.save;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (on) save.current();
    };
    document.addEventListener("keydown", pressed);
    return () => {
      document.removeEventListener("keydown", pressed);
    };
  }, [on]);
}

function isConflict(error: unknown): boolean {
  return error instanceof Problem && error.code === "VERSION_MISMATCH";
}
