/** What the list asks the server. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, body } from "../../api/client";
import type { DraftPageReply, DraftSummaryReply } from "../../api/schema";
import { LIST_KEY } from "../../live/statusChanges";
import type { DraftSearch } from "./search";

export type Row = DraftSummaryReply;

const PAGE_SIZE = 200;
const LARGEST_PAGE = 500;
const HOUR_MILLISECONDS = 3_600_000;

export const pageQuery = (search: DraftSearch) =>
  queryOptions({
    queryKey: [...LIST_KEY, search],
    queryFn: ({ signal }) => fetchPage(search, PAGE_SIZE, search.page, signal),
    placeholderData: keepPreviousData,
  });

export const countsQuery = (search: DraftSearch) => {
  const criteria = criteriaOf(search);
  return queryOptions({
    queryKey: ["drafts", "counts", criteria],
    queryFn: ({ signal }) =>
      body(api.GET("/draft-orders/counts", { signal, params: { query: narrowed(criteria) } })),
    placeholderData: keepPreviousData,
  });
};

/** Who needs a second person, and where a push can go. */
export const policyQuery = queryOptions({
  queryKey: ["policy"],
  queryFn: ({ signal }) => body(api.GET("/approval-policy", { signal })),
});

/**
 * Every draft that fits, page by page, at most `limit`.
 *
 * Answers whether there are more than that.
 */
export async function collect(
  search: DraftSearch,
  limit: number,
  found: (rows: readonly Row[]) => void,
  signal: AbortSignal,
): Promise<{ readonly more: boolean }> {
  let token: string | undefined;
  let count = 0;
  for (;;) {
    const page = await fetchPage(search, Math.min(LARGEST_PAGE, limit - count), token, signal);
    count += page.drafts.length;
    found(page.drafts);
    if (page.next_page_token === null) return { more: false };
    if (count >= limit) return { more: true };
    token = page.next_page_token;
  }
}

function fetchPage(
  search: DraftSearch,
  size: number,
  token: string | undefined,
  signal: AbortSignal,
): Promise<DraftPageReply> {
  return body(
    api.GET("/draft-orders", {
      signal,
      params: {
        query: {
          ...narrowed(criteriaOf(search)),
          page_size: size,
          with_export: true,
          ...(search.status === undefined ? {} : { status: [search.status] }),
          ...(search.sort === undefined ? {} : { sort: search.sort }),
          ...(search.state === undefined ? {} : { export_state: search.state }),
          ...(search.error === undefined ? {} : { error_code: search.error }),
          ...(token === undefined ? {} : { page_token: token }),
        },
      },
    }),
  );
}

type Criteria = Pick<DraftSearch, "q" | "customer" | "from" | "to" | "age">;

function criteriaOf({ q, customer, from, to, age }: DraftSearch): Criteria {
  return Object.fromEntries(
    Object.entries({ q, customer, from, to, age }).filter(([, value]) => value !== undefined),
  );
}

function narrowed({ q, customer, from, to, age }: Criteria) {
  return {
    ...(q === undefined ? {} : { q }),
    ...(customer === undefined ? {} : { customer }),
    ...(from === undefined ? {} : { order_date_from: from }),
    ...(to === undefined ? {} : { order_date_to: to }),
    ...(age === undefined ? {} : { created_to: hoursAgo(age) }),
  };
}

/** To the minute, so that pages of one list are pages of one list. */
function hoursAgo(hours: number): string {
  const moment = new Date(Date.now() - hours * HOUR_MILLISECONDS);
  moment.setUTCSeconds(0, 0);
  return moment.toISOString();
}
