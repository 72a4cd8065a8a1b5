/** The sums as the page shows them. Pure. */
import type { ExportFiguresReply, StatisticsReply } from "../../api/schema";

export type Figures = Omit<ExportFiguresReply, "day" | "erp_connection_id">;

export const NOTHING: Figures = {
  pushed: 0,
  delivered: 0,
  acked: 0,
  failed: 0,
  waiting: 0,
  median_milliseconds: null,
  p95_milliseconds: null,
};

export interface Row extends Figures {
  /** A day, or a connection's id. */
  readonly key: string;
}

/** One row per day, days without a push too. */
export function byDay({ figures }: StatisticsReply, days: readonly string[]): readonly Row[] {
  const found = figures.filter((each) => each.erp_connection_id === null);
  return days.map((day) => ({ ...NOTHING, ...found.find((each) => each.day === day), key: day }));
}

export function byConnection({ figures }: StatisticsReply): readonly Row[] {
  return figures.flatMap((each) =>
    each.day === null && each.erp_connection_id !== null
      ? [{ ...each, key: each.erp_connection_id }]
      : [],
  );
}

export function total({ figures }: StatisticsReply): Figures {
  const found = figures.find((each) => each.day === null && each.erp_connection_id === null);
  return found ?? NOTHING;
}

/** Since when the oldest waits; undefined when nothing does. */
export function oldest({ waiting }: StatisticsReply): string | undefined {
  const times = waiting.flatMap((each) => (each.oldest_since === null ? [] : [each.oldest_since]));
  return times.toSorted((one, other) => Date.parse(one) - Date.parse(other))[0];
}

/** A round number that is not less, for the top of a scale. */
export function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => value <= each * power) ?? 10;
  return Math.max(1, step * power);
}
