/** A new Idempotency-Key; unlike crypto.randomUUID, also where the page came over plain HTTP. */
export function newKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return `console-${[...random].map((each) => each.toString(16).padStart(2, "0")).join("")}`;
}
