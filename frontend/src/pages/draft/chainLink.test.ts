import { webcrypto } from "node:crypto";

import { beforeEach, expect, test, vi } from "vitest";

import type { AuditEventReply } from "../../api/schema";
import { canonicalForm, proofOf } from "./chainLink";

const event: AuditEventReply = {
  org_id: "6f9619ff-8b86-d011-b42d-00c04fc964ff",
  seq: 7,
  event_id: "7d444840-9dc0-11d1-b245-5ffdce74fad2",
  occurred_at: "2026-03-01T09:30:00Z",
  actor_user_id: "user-1",
  action: "DRAFT_APPROVED",
  entity_type: "draft_order",
  entity_id: "d-1",
  draft_order_id: "d-1",
  request_id: null,
  trace_id: null,
  ip: null,
  user_agent: null,
  before: null,
  after: { by: "Zoë" },
  before_json: null,
  after_json: '{"by":"Zoë"}',
  // Computed by countersign_audit.chain.link_hash.
  prev_hash: "00".repeat(32),
  hash: "b0f90446aa762dc63462f2ec95ccf8c43f4e18bef2e2869502cde87a641863ec",
};

beforeEach(() => {
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("crypto", webcrypto);
});

test("the form is what the decision record shows", () => {
  expect(canonicalForm(event)).toBe(
    "20:countersign-audit-v1,36:6f9619ff-8b86-d011-b42d-00c04fc964ff,1:7," +
      "36:7d444840-9dc0-11d1-b245-5ffdce74fad2,27:2026-03-01T09:30:00.000000Z," +
      "6:user-1,14:DRAFT_APPROVED,11:draft_order,3:d-1,3:d-1,0:,0:,0:,0:,0:," +
      '13:{"by":"Zoë"},',
  );
});

test("times keep their microseconds", () => {
  const form = canonicalForm({ ...event, occurred_at: "2026-03-01T09:30:00.120Z" });
  expect(form).toContain("27:2026-03-01T09:30:00.120000Z,");
});

test("an event that is as recorded holds, and one altered letter shows", async () => {
  expect(await proofOf(event)).toBe("holds");
  expect(await proofOf({ ...event, actor_user_id: "user-2" })).toBe("broken");
  expect(await proofOf({ ...event, seq: 8 })).toBe("broken");
});

test("without a secure context nothing is claimed", async () => {
  vi.stubGlobal("isSecureContext", false);
  expect(await proofOf(event)).toBe("unknown");
});
