/** A stretch of whole days of the person's calendar, today the last of them. Pure. */

export interface Days {
  readonly from: Date;
  /** The first moment after it. */
  readonly to: Date;
  /** Each day as YYYY-MM-DD, oldest first. */
  readonly names: readonly string[];
}

export function lastDays(count: number, now: Date): Days {
  const day = (back: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
  const backs = Array.from({ length: count }, (_, at) => count - 1 - at);
  return { from: day(count - 1), to: day(-1), names: backs.map((back) => name(day(back))) };
}

function name(day: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
