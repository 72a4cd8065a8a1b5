/** What the list shows: kept in the address, so that it outlives a reload and can be sent on. */
import type { DraftSort, DraftStatus, ExportState } from "../../api/schema";

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

export const EXPORT_STATES = [
  "RETRYING",
  "STUCK",
  "HELD",
  "UNACKED",
  "ACK_OVERDUE",
] as const satisfies readonly ExportState[];

export const SORTS = [
  "NEWEST",
  "OLDEST",
  "LAST_CHANGED",
  "LONGEST_UNCHANGED",
  "HIGHEST_VALUE",
  "LOWEST_VALUE",
  "LATEST_ORDER",
  "EARLIEST_ORDER",
  "CUSTOMER",
  "CUSTOMER_REVERSED",
] as const satisfies readonly DraftSort[];

/** Submitted at least this many hours ago. */
export const AGES = [1, 4, 24, 72, 168] as const;
export type Age = (typeof AGES)[number];

export interface DraftSearch {
  readonly status?: DraftStatus;
  readonly q?: string;
  readonly customer?: string;
  /** Ordered on or after, and on or before: YYYY-MM-DD. */
  readonly from?: string;
  readonly to?: string;
  readonly age?: Age;
  readonly state?: ExportState;
  readonly error?: string;
  readonly sort?: DraftSort;
  /** The page's token; without one, the first page. */
  readonly page?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const ERROR_CODE = /^[A-Z][A-Z0-9_]{2,63}$/;

/** The address's parameters, without what is none of ours. */
export function draftSearch(raw: Record<string, unknown>): DraftSearch {
  const found: Record<keyof DraftSearch, unknown> = {
    status: oneOf(STATUSES, raw.status),
    q: text(raw.q),
    customer: text(raw.customer),
    from: matching(DAY, raw.from),
    to: matching(DAY, raw.to),
    age: oneOf(AGES, raw.age),
    state: oneOf(EXPORT_STATES, raw.state),
    error: matching(ERROR_CODE, raw.error),
    sort: oneOf(SORTS, raw.sort),
    page: text(raw.page),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** `search` with changes; from its first page, as the drafts or their order are others. */
export function changed(
  search: DraftSearch,
  changes: { readonly [K in keyof DraftSearch]?: DraftSearch[K] | undefined },
): DraftSearch {
  return draftSearch({ ...search, page: undefined, ...changes });
}

/** Whether anything but status, order and page narrows the list. */
export function isNarrowed(search: DraftSearch): boolean {
  const { status: _status, sort: _sort, page: _page, ...rest } = search;
  return Object.keys(rest).length > 0;
}

/** Lists that exports lead have one order only. */
export function isLedByExports(search: DraftSearch): boolean {
  return search.state !== undefined || search.error !== undefined;
}

/** The same list, whatever its page: what a selection belongs to. */
export function listKey(search: DraftSearch): string {
  return JSON.stringify({ ...search, page: undefined, sort: undefined });
}

function oneOf<T extends string | number>(known: readonly T[], value: unknown): T | undefined {
  return known.find((each) => each === value);
}

/** Numbers, too: an address that says q=10042 means the text. */
function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value.slice(0, 300) : undefined;
}

function matching(pattern: RegExp, value: unknown): string | undefined {
  return typeof value === "string" && pattern.test(value) ? value : undefined;
}
