import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, body } from "../../api/client";
import { lastDays } from "./stretch";

const AGAIN_MILLISECONDS = 30_000;

/** Sums over the last days of the person's calendar, with the days' names. */
export const statisticsQuery = (days: number) =>
  queryOptions({
    queryKey: ["statistics", days],
    queryFn: async ({ signal }) => {
      const { from, to, names } = lastDays(days, new Date());
      const query = {
        created_from: from.toISOString(),
        created_to: to.toISOString(),
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      };
      const call = api.GET("/erp-exports/statistics", { signal, params: { query } });
      return { names, found: await body(call) };
    },
    refetchInterval: AGAIN_MILLISECONDS,
    placeholderData: keepPreviousData,
  });
