/** Server state. What may pass is asked again; what was refused is shown at once. */
import { QueryClient } from "@tanstack/react-query";

import { mayPass } from "../api/problem";

const ATTEMPTS = 3;
const FRESH_MILLISECONDS = 5_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MILLISECONDS,
      // The browser's idea of being online says nothing about a server on the same machine.
      networkMode: "always",
      retry: (failures, error) => failures < ATTEMPTS && mayPass(error),
    },
    // A write is repeated by whoever can name it (Idempotency-Key), never blindly.
    mutations: { networkMode: "always", retry: false },
  },
});
