/** Connections as the server has them. */
import { queryOptions } from "@tanstack/react-query";

import { api, body } from "../../api/client";

const AGAIN_MILLISECONDS = 10_000;

export const connectionsKey = ["connections"] as const;

/** All connections of the org, newest first. */
export const connectionsQuery = queryOptions({
  queryKey: [...connectionsKey, "list"],
  queryFn: async ({ signal }) => (await body(api.GET("/erp-connections", { signal }))).connections,
  refetchInterval: AGAIN_MILLISECONDS,
});

export const connectionQuery = (id: string) =>
  queryOptions({
    queryKey: [...connectionsKey, "one", id],
    queryFn: ({ signal }) =>
      body(api.GET("/erp-connections/{id}", { signal, params: { path: { id } } })),
    refetchInterval: AGAIN_MILLISECONDS,
  });

/** Connectors: built in, or announced by a worker. */
export const connectorsQuery = queryOptions({
  queryKey: [...connectionsKey, "connectors"],
  queryFn: async ({ signal }) => (await body(api.GET("/erp-connectors", { signal }))).connectors,
});
