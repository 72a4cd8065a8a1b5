/** What can be done with a connection. */
import { api, body } from "../../api/client";
import type { CreateConnectionBody, UpdateConnectionBody } from "../../api/schema";

export const create = (connection: CreateConnectionBody) =>
  body(api.POST("/erp-connections", { body: connection }));

/** `version`: the one that the person saw. */
export const change = (id: string, version: number, changes: UpdateConnectionBody) =>
  body(
    api.PATCH("/erp-connections/{id}", {
      params: { path: { id }, header: { "If-Match": `"${version}"` } },
      body: changes,
    }),
  );

export const test = (id: string) =>
  body(api.POST("/erp-connections/{id}/test", { params: { path: { id } } }));

export const pause = (id: string, reason: string) =>
  body(api.POST("/erp-connections/{id}/pause", { params: { path: { id } }, body: { reason } }));

export const resume = (id: string, reason: string) =>
  body(api.POST("/erp-connections/{id}/resume", { params: { path: { id } }, body: { reason } }));

export const disable = (id: string) =>
  body(api.POST("/erp-connections/{id}/disable", { params: { path: { id } } }));
