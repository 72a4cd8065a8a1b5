/** The events of a draft: the newest come with it, older ones on demand. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { api, body } from "../../api/client";
import type { AuditEventReply, DraftDetailReply } from "../../api/schema";
import { draftKey } from "./queries";

/** As many as come with a draft. */
export const PAGE_EVENTS = 200;

interface History {
  /** Newest first. */
  readonly events: readonly AuditEventReply[];
  readonly older: {
    readonly exist: boolean;
    readonly busy: boolean;
    readonly error: unknown;
    readonly show: () => void;
  };
}

export function useHistory(draft: DraftDetailReply): History {
  const [wanted, setWanted] = useState(false);
  // Under the draft's key: asked for anew with it, and page by page from the newest on.
  const pages = useInfiniteQuery({
    queryKey: [...draftKey(draft.id), "history"],
    queryFn: ({ signal, pageParam }) =>
      body(
        api.GET("/audit-log", {
          signal,
          params: {
            query: {
              draft_order_id: draft.id,
              page_size: PAGE_EVENTS,
              ...(pageParam === null ? {} : { page_token: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_page_token,
    enabled: wanted,
  });
  const newest = draft.audit_trail;
  const loaded = pages.data?.pages;
  const events = useMemo(
    () => merged([...(newest ?? []), ...(loaded ?? []).flatMap((page) => page.events)]),
    [newest, loaded],
  );
  const { fetchNextPage, hasNextPage, isFetching } = pages;
  const onlyNewest = loaded?.length === 1;
  useEffect(() => {
    // The first page is what was there already.
    if (onlyNewest && hasNextPage && !isFetching) void fetchNextPage();
  }, [onlyNewest, hasNextPage, isFetching, fetchNextPage]);
  const show = () => {
    setWanted(true);
    if (loaded !== undefined && !isFetching) void fetchNextPage();
    else if (pages.isError) void pages.refetch();
  };
  const exist = loaded === undefined ? newest?.length === PAGE_EVENTS : hasNextPage;
  const busy = wanted && isFetching;
  return { events, older: { exist, busy, error: pages.error, show } };
}

/** Each event once, newest first. */
export function merged(events: readonly AuditEventReply[]): readonly AuditEventReply[] {
  const bySeq = new Map<number, AuditEventReply>();
  for (const event of events) if (!bySeq.has(event.seq)) bySeq.set(event.seq, event);
  return [...bySeq.values()].sort((left, right) => right.seq - left.seq);
}
