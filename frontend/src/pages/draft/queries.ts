/** The draft order as the server has it. */
import { queryOptions } from "@tanstack/react-query";

import { api, body } from "../../api/client";
import type { DraftDetailReply } from "../../api/schema";
import { live } from "../../live/useLiveDrafts";

const SOON_MILLISECONDS = 1_000;
const LATER_MILLISECONDS = 10_000;

export const draftKey = (id: string) => ["drafts", "detail", id] as const;

/** One draft order with its exports and its audit trail. */
export const draftQuery = (id: string) =>
  queryOptions({
    queryKey: draftKey(id),
    queryFn: ({ signal }) =>
      body(api.GET("/draft-orders/{id}", { signal, params: { path: { id } } })),
    // Status changes come by themselves, unless live updates are away; attempts and their errors do not.
    refetchInterval: ({ state }) =>
      moves(state.data) && !live.get() ? SOON_MILLISECONDS : LATER_MILLISECONDS,
  });

/** Whether the system itself is about to change it. */
function moves(draft: DraftDetailReply | undefined): boolean {
  return draft?.status === "PUSHING";
}
