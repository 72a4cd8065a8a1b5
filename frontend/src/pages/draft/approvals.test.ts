import { expect, test } from "vitest";

import type { AuditEventReply } from "../../api/schema";
import { lastApproval } from "./approvals";

const event = (action: string, content_version?: number) =>
  ({
    action,
    actor_user_id: "olga",
    occurred_at: null,
    after: content_version === undefined ? null : { content_version },
  }) as unknown as AuditEventReply;

test("the newest approval counts, also when it was taken back", () => {
  const trail = [
    event("DRAFT_APPROVAL_REVOKED"),
    event("DRAFT_APPROVED", 4),
    event("DRAFT_APPROVED", 2),
  ];
  expect(lastApproval(trail)).toEqual({ who: "olga", at: null, contentVersion: 4 });
});

test("an order that nobody approved has none", () => {
  expect(lastApproval([event("DRAFT_SUBMITTED")])).toBeUndefined();
});
