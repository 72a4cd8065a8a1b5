/** The approvals that the audit trail tells of. */
import type { AuditEventReply } from "../../api/schema";

export interface PastApproval {
  readonly who: string;
  readonly at: string | null;
  /** The version at which the approved content came to be. */
  readonly contentVersion: number;
}

/** The newest approval in `events` (newest first), whether it still stands or not. */
export function lastApproval(events: readonly AuditEventReply[]): PastApproval | undefined {
  const event = events.find((each) => each.action === "DRAFT_APPROVED");
  const contentVersion = event?.after?.content_version;
  if (event === undefined || typeof contentVersion !== "number") return undefined;
  return { who: event.actor_user_id ?? "", at: event.occurred_at, contentVersion };
}
