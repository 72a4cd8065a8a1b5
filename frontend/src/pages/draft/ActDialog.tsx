/**
 * Asks before an act, sends the version that the person saw, and keeps what they wrote.
 *
 * When the draft is another one by now, it shows the difference and lets the person decide about
 * the version that is there. When no answer came, the same can be asked again.
 */
import { type PropsWithChildren, useState } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "../../api/problem";
import type { DraftDetailReply } from "../../api/schema";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { Changed } from "./Changed";
import { isFinal } from "./intents";
import { useAct } from "./useAct";

type Props = PropsWithChildren<{
  readonly draft: DraftDetailReply;
  readonly title: string;
  readonly confirm: string;
  readonly danger?: boolean;
  /** False while something that is required is missing. */
  readonly complete?: boolean;
  readonly act: (version: number) => Promise<unknown>;
  readonly onClose: (done: boolean) => void;
}>;

export function ActDialog(props: Props) {
  const { draft, title, confirm, danger = false, complete = true, act, onClose, children } = props;
  const { t } = useTranslation();
  const [seen, setSeen] = useState(draft);
  const { run, busy, error } = useAct(draft.id, act, () => {
    onClose(true);
  });
  const lost = error !== null && !isFinal(error);
  const changed = !busy && !lost && draft.version !== seen.version;
  const possible = !changed || draft.status === seen.status;
  const press = () => {
    if (!complete) return;
    if (changed) setSeen(draft);
    run(changed ? draft.version : seen.version);
  };
  return (
    <Dialog
      title={title}
      wide={changed}
      closeLabel={t("common.cancel")}
      onClose={() => {
        onClose(false);
      }}
      actions={
        possible && (
          <Button
            variant={danger ? "danger" : "primary"}
            isDisabled={!complete}
            // Whoever opened the dialog came for this.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus={complete}
            onPress={press}
          >
            {label()}
          </Button>
        )
      }
    >
      {children}
      {changed && <Changed seen={seen} now={draft} />}
      {lost && <p className="banner warning">{t("act.lost")}</p>}
      {/* Once what is there now has come, the difference says it. */}
      {error !== null && !(changed && isConflict(error)) && <ProblemNotice error={error} />}
    </Dialog>
  );

  function label(): string {
    if (busy) return t("act.busy");
    if (changed) return t("act.anyway", { act: confirm, version: draft.version });
    return lost ? t("act.askAgain") : confirm;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof Problem && error.code === "VERSION_MISMATCH";
}
