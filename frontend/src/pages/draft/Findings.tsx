/** Everything that keeps the order from being approved, each with a way to its field. */
import { useTranslation } from "react-i18next";

import type { BlockingReasonReply } from "../../api/schema";
import { pathOf, reasonText } from "./reasons";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly reasons: readonly BlockingReasonReply[];
  readonly onGo: (path: string) => void;
}

export function Findings({ reasons, onGo }: Props) {
  const { t } = useTranslation();
  if (reasons.length === 0) return null;
  return (
    <section className={`banner warning ${styles.findings}`} aria-labelledby="findings">
      <h2 id="findings">{t("draft.findings", { count: reasons.length })}</h2>
      <ul>
        {reasons.map((reason, place) => (
          <li key={place}>
            <a
              href={`#${anchorOf(pathOf(reason))}`}
              onClick={(event) => {
                event.preventDefault();
                onGo(pathOf(reason));
              }}
            >
              {reason.line_no === null
                ? reasonText(t, reason)
                : t("draft.lineFinding", { line: reason.line_no, text: reasonText(t, reason) })}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The id of the element that shows a path. */
export function anchorOf(path: string): string {
  return `at-${path.replaceAll(/[[\].]+/g, "-")}`;
}
