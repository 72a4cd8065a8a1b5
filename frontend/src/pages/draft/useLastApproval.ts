/** The newest approval of a draft, asked for when the events that come with it do not reach back. */
import { useQuery } from "@tanstack/react-query";

import { api, body } from "../../api/client";
import type { DraftDetailReply } from "../../api/schema";
import { lastApproval, type PastApproval } from "./approvals";
import { draftKey } from "./queries";
import { PAGE_EVENTS } from "./useHistory";

export function useLastApproval(draft: DraftDetailReply): PastApproval | undefined {
  const newest = draft.audit_trail ?? [];
  const told = lastApproval(newest);
  const { data } = useQuery({
    queryKey: [...draftKey(draft.id), "approval"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/audit-log", {
          signal,
          params: {
            query: { draft_order_id: draft.id, action: ["DRAFT_APPROVED"], page_size: 1 },
          },
        }),
      ),
    enabled: told === undefined && newest.length === PAGE_EVENTS,
  });
  return told ?? lastApproval(data?.events ?? []);
}
