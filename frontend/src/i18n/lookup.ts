/** Texts for names from the server's open lists (error codes, acts): not every one is known here. */
import type { TFunction } from "i18next";

/** The text at `key`, else `fallback`. */
export function lookup(
  t: TFunction,
  key: string,
  fallback: string,
  values: Record<string, unknown> = {},
): string {
  const look = t as unknown as (key: string, options: object) => string;
  return look(key, { ...values, defaultValue: fallback });
}
