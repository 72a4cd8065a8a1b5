/** What status changes do to what is shown: rows move at once, everything is asked again soon. */
import type { QueryClient } from "@tanstack/react-query";

import type { DraftPageReply, DraftStatus } from "../api/schema";

export interface StatusChange {
  readonly draft_order_id: string;
  readonly from_status: DraftStatus | null;
  readonly to_status: DraftStatus;
  readonly version: number;
}

export const LIST_KEY = ["drafts", "page"] as const;
const COUNTS_KEY = ["drafts", "counts"] as const;

/** Shows the change in every list that has the draft; an older change shows nothing. */
export function showChange(queries: QueryClient, change: StatusChange): void {
  queries.setQueriesData<DraftPageReply>({ queryKey: LIST_KEY }, (page) =>
    page === undefined ? page : { ...page, drafts: page.drafts.map((row) => moved(row, change)) },
  );
}

type Row = DraftPageReply["drafts"][number];

function moved(row: Row, change: StatusChange): Row {
  if (row.id !== change.draft_order_id || row.version >= change.version) return row;
  return { ...row, status: change.to_status, version: change.version };
}

/** Asks again for lists, counts, and those drafts that are shown whole. */
export async function refetch(queries: QueryClient, draftIds: Iterable<string>): Promise<void> {
  const changed = [...draftIds].map((id) => ["drafts", "detail", id]);
  await Promise.all(
    [LIST_KEY, COUNTS_KEY, ["statistics"], ...changed].map((queryKey) =>
      queries.invalidateQueries({ queryKey }),
    ),
  );
}
