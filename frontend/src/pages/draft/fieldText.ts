/**
 * What a person types into a field, and the value that it means.
 *
 * Decimals are written with the locale's own separator and without any for thousands: "1.234" is
 * a thousand in German and one and a bit in English, and an order is no place to guess.
 */
import { lineOf } from "./content";

export type Fault = "decimal" | "currency";

const DECIMALS = new Set(["qty", "unit_price"]);
const CURRENCY = /^[A-Z]{3}$/;

export function isDecimal(path: string): boolean {
  return DECIMALS.has(lineOf(path)?.field ?? "");
}

/** "," or ".". */
export function separatorOf(locale: string): string {
  const parts = new Intl.NumberFormat(locale).formatToParts(1.5);
  return parts.find((part) => part.type === "decimal")?.value ?? ".";
}

/** The text of a stored value. */
export function shownText(path: string, value: string | null, separator: string): string {
  return isDecimal(path) ? (value ?? "").replace(".", separator) : (value ?? "");
}

/** The value that a text means, or what is wrong with it. */
export function meantBy(
  path: string,
  text: string,
  separator: string,
): { readonly value: string } | { readonly fault: Fault } {
  const trimmed = text.trim();
  if (trimmed === "") return { value: "" };
  if (isDecimal(path)) {
    const [whole = "", fraction, ...rest] = trimmed.split(separator);
    const good =
      /^-?\d{1,12}$/.test(whole) &&
      rest.length === 0 &&
      (fraction === undefined || /^\d{1,6}$/.test(fraction));
    if (!good) return { fault: "decimal" };
    return { value: fraction === undefined ? whole : `${whole}.${fraction}` };
  }
  if (path.endsWith("currency")) {
    const code = trimmed.toUpperCase();
    return CURRENCY.test(code) ? { value: code } : { fault: "currency" };
  }
  return { value: text };
}
