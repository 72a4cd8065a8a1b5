/** Follows the org's status changes for as long as someone looks. */
import { useQueryClient } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { createStore } from "../app/store";
import { announce } from "../ui/announce";
import { listen } from "./eventStream";
import type { ServerEvent } from "./sseParser";
import { type StatusChange, refetch, showChange } from "./statusChanges";

const URL = "/draft-orders/events";
/** Changes of this long are shown, announced and asked for together. */
const TOGETHER_MILLISECONDS = 1_000;
/** A tab that nobody sees gives its connection back: a browser has only six per server. */
const HIDDEN_MILLISECONDS = 30_000;
/** A short break is nobody's business. */
const PATIENCE_MILLISECONDS = 3_000;

/** False once live updates have been away for longer than a moment. */
export const live = createStore(true);

export function useLiveDrafts(): void {
  const queries = useQueryClient();
  const { t } = useTranslation();
  // A change of language must not open the stream anew.
  const words = useRef(t);
  useEffect(() => {
    words.current = t;
  }, [t]);

  useEffect(() => {
    const waiting: StatusChange[] = [];
    let soon: ReturnType<typeof setTimeout> | undefined;
    let patience: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      soon = undefined;
      const changes = waiting.splice(0);
      announce(spoken(words.current, changes));
      void refetch(queries, new Set(changes.map((each) => each.draft_order_id)));
    };
    const listener = {
      opened() {
        clearTimeout(patience);
        patience = undefined;
        live.set(true);
        // What happened between the page's first answer and now came to nobody.
        void queries.invalidateQueries({ queryKey: ["drafts"] });
      },
      happened(event: ServerEvent) {
        if (event.event !== "draft-status") return;
        const change = JSON.parse(event.data) as StatusChange;
        showChange(queries, change);
        waiting.push(change);
        soon ??= setTimeout(flush, TOGETHER_MILLISECONDS);
      },
      lost() {
        patience ??= setTimeout(() => {
          live.set(false);
        }, PATIENCE_MILLISECONDS);
      },
    };
    const stop = whileSeen((signal) => listen(URL, listener, signal));
    return () => {
      stop();
      clearTimeout(soon);
      clearTimeout(patience);
      live.set(true);
    };
  }, [queries]);
}

/** Runs `task` while the page is seen; aborts it when it has been hidden for a while. */
function whileSeen(task: (signal: AbortSignal) => Promise<void>): () => void {
  let running: AbortController | undefined;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(hiding);
    if (document.visibilityState === "hidden") {
      hiding = setTimeout(() => {
        running?.abort();
        running = undefined;
      }, HIDDEN_MILLISECONDS);
    } else if (running === undefined) {
      running = new AbortController();
      void task(running.signal);
    }
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    clearTimeout(hiding);
    running?.abort();
  };
}

/** "3 draft orders: Pushed. 1 draft order: Error." */
function spoken(t: TFunction, changes: readonly StatusChange[]): string {
  const last = new Map(changes.map((each) => [each.draft_order_id, each.to_status]));
  const counts = new Map<StatusChange["to_status"], number>();
  for (const status of last.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .map(([status, count]) => t("common.changed", { count, status: t(`common.status.${status}`) }))
    .join(" ");
}
