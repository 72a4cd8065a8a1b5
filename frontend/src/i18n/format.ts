/**
 * Numbers, money and times as the person's locale writes them.
 *
 * Decimals come as strings and go to Intl as strings: every digit that was stored is shown, and
 * none passes through a float.
 */
import { useTranslation } from "react-i18next";

import { localeOf } from "./i18n";

export interface Format {
  /** "1234.5", "EUR" → "1.234,50 €"; without a currency as a plain number. */
  money(value: string, currency: string | null | undefined): string;
  /** "1234.500" → "1,234.500". */
  decimal(value: string): string;
  count(value: number): string;
  /** A day, YYYY-MM-DD. */
  day(value: string): string;
  /** An RFC 3339 time, in the person's time zone. */
  moment(value: string): string;
  /** How long ago, from `now` in milliseconds. */
  ago(value: string, now: number): string;
}

const SMALLEST_FRACTION = 2;
const LARGEST_FRACTION = 12;
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const byLocale = new Map<string, Format>();

/** Made once: Intl's formatters are slow to make, and a list has many rows. */
export function formatFor(locale: string): Format {
  const known = byLocale.get(locale);
  if (known !== undefined) return known;
  const made = newFormat(locale);
  byLocale.set(locale, made);
  return made;
}

function newFormat(locale: string): Format {
  const plain = new Intl.NumberFormat(locale);
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  return {
    money: (value, currency) => exact(locale, value, currency ?? undefined),
    decimal: (value) => exact(locale, value),
    count: (value) => plain.format(value),
    day: (value) => day.format(new Date(`${value}T00:00:00Z`)),
    moment: (value) => moment.format(new Date(value)),
    ago: (value, now) => ago(relative, (Date.parse(value) - now) / 1000),
  };
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return formatFor(localeOf(i18n.language));
}

const formats = new Map<string, Intl.NumberFormat>();

function exact(locale: string, value: string, currency?: string): string {
  const digits = value.split(".")[1]?.length ?? 0;
  const least = currency === undefined ? digits : Math.max(SMALLEST_FRACTION, digits);
  const key = `${locale} ${currency ?? ""} ${least}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, {
      ...(currency === undefined ? {} : { style: "currency", currency }),
      minimumFractionDigits: Math.min(least, LARGEST_FRACTION),
      maximumFractionDigits: LARGEST_FRACTION,
    });
    formats.set(key, format);
  }
  return format.format(value as Intl.StringNumericLiteral);
}

function ago(format: Intl.RelativeTimeFormat, seconds: number): string {
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(0, "minute");
}
