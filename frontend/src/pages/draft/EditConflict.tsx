/** Somebody else changed what is being edited: what, and what becomes of the person's own edits. */
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { Button } from "../../ui/Button";
import { Changed } from "./Changed";
import { type Conflict, conflicts } from "./edits";
import { fieldLabel } from "./labels";
import type { Editor } from "./useEditor";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly draft: DraftDetailReply;
  readonly editor: Editor;
}

export function EditConflict({ draft, editor }: Props) {
  const { t } = useTranslation();
  const found = useMemo(() => conflicts(editor.edits, draft), [editor.edits, draft]);
  const [theirs, setTheirs] = useState<ReadonlySet<string>>(new Set());
  const choose = (path: string, mine: boolean) => {
    const next = new Set(theirs);
    if (mine) next.delete(path);
    else next.add(path);
    setTheirs(next);
  };
  const mine = new Set(found.map(({ path }) => path).filter((path) => !theirs.has(path)));
  return (
    <div className={styles.conflict}>
      <Changed seen={editor.base} now={draft} />
      {found.length > 0 && (
        <fieldset className={styles.choices}>
          <legend>{t("edit.both", { count: found.length })}</legend>
          {found.map((each) => (
            <Choice
              key={each.path}
              conflict={each}
              mine={mine.has(each.path)}
              onChoose={(own) => {
                choose(each.path, own);
              }}
            />
          ))}
        </fieldset>
      )}
      <p>{t("edit.nothingLost")}</p>
      <Button
        variant="primary"
        onPress={() => {
          editor.moveOnto(draft, mine);
        }}
      >
        {t("edit.reapply", { version: draft.version })}
      </Button>
    </div>
  );
}

interface ChoiceProps {
  readonly conflict: Conflict;
  readonly mine: boolean;
  readonly onChoose: (mine: boolean) => void;
}

function Choice({ conflict, mine, onChoose }: ChoiceProps) {
  const { t } = useTranslation();
  const label = fieldLabel(t, conflict.path);
  const value = (text: string | null) => text ?? t("draft.absent");
  return (
    <div role="radiogroup" aria-label={label} className={styles.choice}>
      <span>{label}</span>
      <label>
        <input
          type="radio"
          name={conflict.path}
          checked={mine}
          onChange={() => {
            onChoose(true);
          }}
        />
        {t("edit.mine", { value: value(conflict.mine) })}
      </label>
      <label>
        <input
          type="radio"
          name={conflict.path}
          checked={!mine}
          onChange={() => {
            onChoose(false);
          }}
        />
        {t("edit.theirs", { value: value(conflict.theirs) })}
      </label>
    </div>
  );
}
