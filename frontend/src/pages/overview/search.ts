/** How far back the overview looks: kept in the address. */

export const STRETCHES = [7, 30, 90] as const;
export type Stretch = (typeof STRETCHES)[number];

export interface OverviewSearch {
  /** Without one, the shortest. */
  readonly days?: Stretch;
}

export function overviewSearch(raw: Record<string, unknown>): OverviewSearch {
  const days = STRETCHES.find((each) => each === Number(raw.days));
  return days === undefined ? {} : { days };
}
