/**
 * The proof of one link of the audit chain, computed here, from the event that the page shows:
 *
 *     hash = SHA-256(prev_hash ‖ the event's fields as netstrings)
 *
 * docs/decisions/0005 says which fields, and why so.
 */
import type { AuditEventReply } from "../../api/schema";

export type Proof = "holds" | "broken" | "unknown";

const FORM = "countersign-audit-v1";
const TIME = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** Whether the event is the one that its hash was made of; "unknown" without WebCrypto. */
export async function proofOf(event: AuditEventReply): Promise<Proof> {
  if (!window.isSecureContext) return "unknown";
  const form = new TextEncoder().encode(canonicalForm(event));
  const link = new Uint8Array([...bytes(event.prev_hash), ...form]);
  const digest = await crypto.subtle.digest("SHA-256", link);
  return hex(new Uint8Array(digest)) === event.hash ? "holds" : "broken";
}

export function canonicalForm(event: AuditEventReply): string {
  const fields = [
    FORM,
    event.org_id,
    String(event.seq),
    event.event_id,
    microseconds(event.occurred_at ?? ""),
    event.actor_user_id,
    event.action,
    event.entity_type,
    event.entity_id,
    event.draft_order_id,
    event.request_id,
    event.trace_id,
    event.ip,
    event.user_agent,
    event.before_json,
    event.after_json,
  ];
  return fields.map((each) => netstring(each ?? "")).join("");
}

export function hex(data: Uint8Array): string {
  return [...data].map((each) => each.toString(16).padStart(2, "0")).join("");
}

function bytes(text: string): number[] {
  return (text.match(/../g) ?? []).map((each) => Number.parseInt(each, 16));
}

function netstring(text: string): string {
  return `${new TextEncoder().encode(text).length}:${text},`;
}

/** The server leaves out zeros that the form has. */
function microseconds(time: string): string {
  const [, whole = "", fraction = ""] = TIME.exec(time) ?? [];
  return `${whole}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}
