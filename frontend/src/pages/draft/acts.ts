/** The calls that change a draft order; each names the version that the person saw. */
import { api, body } from "../../api/client";
import type { DraftReply, PushReply } from "../../api/schema";
import { type Asked, type Intent, type Operation, forget, intend, isFinal } from "./intents";

/** As an If-Match header has it. */
export const etag = (version: number) => `"${version}"`;

const seen = (id: string, version: number) => ({
  path: { id },
  header: { "If-Match": etag(version) },
});

export const approve = (id: string, version: number) =>
  body(api.POST("/draft-orders/{id}/approve", { params: seen(id, version) }));

export const revoke = (id: string, version: number): Promise<DraftReply> =>
  body(api.DELETE("/draft-orders/{id}/approval", { params: seen(id, version) }));

export const validate = (id: string): Promise<DraftReply> =>
  body(api.POST("/draft-orders/{id}/validate", { params: { path: { id } } }));

export const reject = (id: string, version: number, reason: string): Promise<DraftReply> =>
  body(api.POST("/draft-orders/{id}/reject", { params: seen(id, version), body: { reason } }));

export const settleIssue = (id: string, version: number, issue: string): Promise<DraftReply> =>
  body(
    api.PATCH("/draft-orders/{id}", {
      params: seen(id, version),
      body: { resolve_issue_ids: [issue] },
    }),
  );

/** Pushes, or pushes again, under the key of the person's intent. */
export async function push(
  id: string,
  operation: Operation,
  version: number,
  asked: Asked,
): Promise<PushReply> {
  const intent = intend(id, operation, version, asked);
  try {
    const reply = await send(id, intent);
    forget(id, intent);
    return reply;
  } catch (error) {
    if (isFinal(error)) forget(id, intent);
    throw error;
  }
}

function send(id: string, { operation, version, key, asked }: Intent): Promise<PushReply> {
  const params = {
    path: { id },
    header: { "If-Match": etag(version), "Idempotency-Key": key },
  };
  const erp_connection_id = asked.erp_connection_id ?? null;
  if (operation === "push") {
    return body(api.POST("/draft-orders/{id}/push", { params, body: { erp_connection_id } }));
  }
  const reason = asked.reason ?? null;
  return body(
    api.POST("/draft-orders/{id}/retry-push", { params, body: { erp_connection_id, reason } }),
  );
}
