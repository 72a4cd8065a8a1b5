/**
 * The signed-in person. The token is in this module's memory and nowhere else.
 *
 *     begin    a token: at the sign-in, and at each renewal
 *     expire   the token is worth nothing any more; who it spoke for is still known, so that their
 *              page can wait for them
 *     end      the person left
 */
import { createStore } from "../app/store";
import { type Identity, identityOf } from "./identity";

const identity = createStore<Identity | undefined>(undefined);
const open = createStore(false);
let current: string | undefined;

export const session = {
  /** Who is signed in, or was until the token ran out; for components to follow. */
  identity,

  /** Whether there is a token that the server took until now. */
  open,

  token: (): string | undefined => current,

  begin(token: string): void {
    const person = identityOf(token);
    current = token;
    identity.set(person);
    open.set(true);
  },

  expire(): void {
    current = undefined;
    open.set(false);
  },

  end(): void {
    session.expire();
    identity.set(undefined);
  },
};
