/** What is selected, how to select all that fits, and what can be done with it. */
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { DraftPageReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/ProblemNotice";
import styles from "./DraftList.module.css";
import type { Act } from "./eligibility";
import { collect } from "./queries";
import type { DraftSearch } from "./search";
import type { Selection } from "./selection";

/** More than this in one go is a job for the command line. */
export const MOST = 10_000;

interface Props {
  readonly acts: readonly Act[];
  readonly selection: Selection;
  readonly search: DraftSearch;
  readonly page: DraftPageReply;
  readonly onAct: (act: Act) => void;
}

export function SelectionBar({ acts, selection, search, page, onAct }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const count = selection.rows.size;
  const matching = useMatching(search, selection);
  const whole = page.next_page_token === null && search.page === undefined;
  return (
    <div className={styles.bar} role="group" aria-label={t("drafts.selection")}>
      <span role="status">{t("drafts.selected", { count, shown: format.count(count) })}</span>
      {count > 0 && (
        <>
          {acts.map((act) => (
            <Button
              key={act}
              variant="primary"
              onPress={() => {
                onAct(act);
              }}
            >
              {t(`drafts.act.${act}`)}
            </Button>
          ))}
          <Button onPress={selection.clear}>{t("drafts.clearSelection")}</Button>
        </>
      )}
      {!whole &&
        (matching.running ? (
          <Button onPress={matching.stop}>{t("common.cancel")}</Button>
        ) : (
          <Button onPress={matching.start}>{t("drafts.selectMatching")}</Button>
        ))}
      {matching.more && (
        <span className="muted">{t("drafts.mostSelected", { most: format.count(MOST) })}</span>
      )}
      {matching.failure !== undefined && <ProblemNotice error={matching.failure} />}
    </div>
  );
}

/** Selects every draft that fits, as far as a person may want to act on in one go. */
function useMatching(search: DraftSearch, selection: Selection) {
  const { t } = useTranslation();
  const [running, setRunning] = useState<AbortController>();
  const [more, setMore] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const count = useRef(0);
  async function start(): Promise<void> {
    const control = new AbortController();
    setRunning(control);
    setFailure(undefined);
    count.current = 0;
    try {
      const found = await collect(
        search,
        MOST,
        (rows) => {
          count.current += rows.length;
          selection.set(rows, true);
        },
        control.signal,
      );
      setMore(found.more);
      announce(t("drafts.selected", { count: count.current, shown: String(count.current) }));
    } catch (error) {
      if (!control.signal.aborted) setFailure(error);
    } finally {
      setRunning(undefined);
    }
  }
  return {
    running: running !== undefined,
    more: more && selection.rows.size >= MOST,
    failure,
    start: () => void start(),
    stop: () => running?.abort(),
  };
}
