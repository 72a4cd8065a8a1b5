/** Exact arithmetic on decimal strings: no float ever touches a quantity or a price. */

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** `left × right` with every digit; undefined when one of them is no decimal. */
export function product(left: string | null, right: string | null): string | undefined {
  const [a, b] = [parsed(left), parsed(right)];
  if (a === undefined || b === undefined) return undefined;
  return written(a.digits * b.digits, a.places + b.places);
}

interface Scaled {
  readonly digits: bigint;
  readonly places: number;
}

function parsed(text: string | null): Scaled | undefined {
  const found = DECIMAL.exec(text ?? "");
  if (found === null) return undefined;
  const [, sign = "", whole = "", fraction = ""] = found;
  return { digits: BigInt(`${sign}${whole}${fraction}`), places: fraction.length };
}

function written(digits: bigint, places: number): string {
  const sign = digits < 0n ? "-" : "";
  const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, "0");
  const cut = text.length - places;
  const fraction = text.slice(cut).replace(/0+$/, "");
  return `${sign}${text.slice(0, cut)}${fraction === "" ? "" : `.${fraction}`}`;
}
