/**
 * What the person asked for, under one Idempotency-Key until the answer is final.
 *
 * An intent is one operation on one version of a draft with one body. Its key is made at the first
 * click and kept in this tab's sessionStorage, so a second click, a lost answer and a reload ask
 * with the same key, and the server makes one export. It is forgotten
 *
 *     when the answer is final    a success, or a refusal that asking again cannot change
 *     when the draft moved on     its version is another, so the intent took effect or never will
 *     when the person says so
 *
 * and never because the server was away or the sign-in ran out.
 */
import { newKey } from "../../api/idempotencyKey";
import { Problem } from "../../api/problem";

export const OPERATIONS = ["push", "retry-push"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The request's body as it is sent; part of what the key stands for. */
export interface Asked {
  readonly erp_connection_id?: string;
  readonly reason?: string;
}

export interface Intent {
  readonly key: string;
  readonly operation: Operation;
  /** The version that the person saw. */
  readonly version: number;
  readonly asked: Asked;
  /** When it was first asked, RFC 3339. */
  readonly at: string;
}

/** The intent that is kept for the very same wish, else a new one, kept from now on. */
export function intend(
  draftId: string,
  operation: Operation,
  version: number,
  asked: Asked,
): Intent {
  const kept = read(draftId, operation);
  if (kept?.version === version && sameWish(kept.asked, asked)) return kept;
  const intent = { key: newKey(), operation, version, asked, at: new Date().toISOString() };
  sessionStorage.setItem(slot(draftId, operation), JSON.stringify(intent));
  return intent;
}

/** Forgets `intent`; another one that took its place stays. */
export function forget(draftId: string, intent: Intent): void {
  if (read(draftId, intent.operation)?.key === intent.key) {
    sessionStorage.removeItem(slot(draftId, intent.operation));
  }
}

/** What was asked for `version` and not answered; intents of other versions are forgotten. */
export function unanswered(draftId: string, version: number): readonly Intent[] {
  const kept = OPERATIONS.flatMap((operation) => read(draftId, operation) ?? []);
  for (const each of kept) if (each.version < version) forget(draftId, each);
  return kept.filter((each) => each.version === version);
}

/** Whether `error` ends an intent: the server refused, and would refuse again. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof Problem &&
    error.status >= 400 &&
    error.status < 500 &&
    ![401, 408, 429].includes(error.status)
  );
}

const slot = (draftId: string, operation: Operation) =>
  `countersign.intent.${draftId}.${operation}`;

function read(draftId: string, operation: Operation): Intent | undefined {
  const text = sessionStorage.getItem(slot(draftId, operation));
  return text === null ? undefined : (JSON.parse(text) as Intent);
}

function sameWish(left: Asked, right: Asked): boolean {
  return left.erp_connection_id === right.erp_connection_id && left.reason === right.reason;
}
