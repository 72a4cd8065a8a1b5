/** Keeps the token fresh while a page is open. */
import type { SignIn } from "./signIn";

interface Outcome {
  readonly renewed: (token: string) => void;
  readonly ended: () => void;
}

const BEFORE_MILLISECONDS = 60_000;
const AGAIN_MILLISECONDS = 5_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Renews shortly before the token ends, and tries until it has ended.
 *
 * @returns what stops it.
 */
export function renewing(
  signIn: Pick<SignIn, "renew">,
  expiresAt: number,
  outcome: Outcome,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const at = (moment: number, run: () => void) => {
    if (stopped) return;
    timer = setTimeout(run, Math.min(Math.max(moment - Date.now(), 0), LONGEST_TIMER));
  };
  const attempt = () => {
    signIn.renew().then(
      (token) => {
        if (stopped) return;
        if (token === undefined) at(expiresAt, outcome.ended);
        else outcome.renewed(token);
      },
      () => {
        // The provider may be away for a moment.
        const next = Date.now() + AGAIN_MILLISECONDS;
        if (next < expiresAt) at(next, attempt);
        else at(expiresAt, outcome.ended);
      },
    );
  };
  // A token of less than two minutes is renewed at half of its life.
  const half = Date.now() + (expiresAt - Date.now()) / 2;
  at(Math.max(expiresAt - BEFORE_MILLISECONDS, half), attempt);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
