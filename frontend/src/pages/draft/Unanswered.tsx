/** A push that was asked for and never answered, for example because the page was loaded anew. */
import { useReducer } from "react";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { type Intent, forget, unanswered } from "./intents";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly draft: DraftDetailReply;
  readonly onAsk: (intent: Intent) => void;
}

export function Unanswered({ draft, onAsk }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [, look] = useReducer((count: number) => count + 1, 0);
  return unanswered(draft.id, draft.version).map((intent) => (
    <div key={intent.key} className={`banner warning ${styles.unanswered}`} role="status">
      <span>
        {t(`act.pending.${intent.operation}`, {
          version: intent.version,
          when: format.moment(intent.at),
        })}{" "}
        {t("act.pendingMeans")}
      </span>
      <Button
        onPress={() => {
          onAsk(intent);
        }}
      >
        {t("act.askAgain")}
      </Button>
      <Button
        variant="quiet"
        onPress={() => {
          forget(draft.id, intent);
          look();
        }}
      >
        {t("act.forget")}
      </Button>
    </div>
  ));
}
