/**
 * Runs one act at a time and has the page show what the server says of it.
 *
 * Buttons do not use React Aria's `isPending`: it announces a button that is gone by then.
 */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import { draftKey } from "./queries";

interface Act<A> {
  readonly run: (argument: A) => void;
  readonly busy: boolean;
  readonly error: unknown;
  readonly reset: () => void;
}

/**
 * @param act what to do.
 * @param done called when it went well; the draft is asked for anew, however it went.
 */
export function useAct<A, R>(
  draftId: string,
  act: (argument: A) => Promise<R>,
  done?: (reply: R) => void,
): Act<A> {
  const queryClient = useQueryClient();
  // A second click may come before the button is drawn as busy.
  const running = useRef(false);
  const mutation = useMutation({
    mutationFn: act,
    onSuccess: (reply) => {
      done?.(reply);
    },
    onSettled: () => {
      running.current = false;
      void queryClient.invalidateQueries({ queryKey: draftKey(draftId) });
    },
  });
  return {
    run: (argument) => {
      if (running.current) return;
      running.current = true;
      mutation.mutate(argument);
    },
    busy: mutation.isPending,
    error: mutation.error,
    reset: mutation.reset,
  };
}
