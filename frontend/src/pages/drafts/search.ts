/** What the list shows: kept in the address, so that it can be sent to a colleague. */
import type { DraftStatus } from "../../api/schema";

export const STATUSES = [
  "NEEDS_REVIEW",
  "READY",
  "APPROVED",
  "PUSHING",
  "ERROR",
  "PUSHED",
  "REJECTED",
  "NEW",
  "EXTRACTED",
] as const satisfies readonly DraftStatus[];

export interface DraftSearch {
  readonly status?: DraftStatus;
  /** The page's token; without one, the first page. */
  readonly page?: string;
}

/** The address's parameters, without what is none of ours. */
export function draftSearch(raw: Record<string, unknown>): DraftSearch {
  const status = STATUSES.find((each) => each === raw.status);
  const page = raw.page;
  return {
    ...(status === undefined ? {} : { status }),
    ...(typeof page === "string" ? { page } : {}),
  };
}

/** The same list from its beginning. */
export function firstPage(search: DraftSearch): DraftSearch {
  return search.status === undefined ? {} : { status: search.status };
}
