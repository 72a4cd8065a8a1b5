/** The signed-in person. The token is in this module's memory and nowhere else. */
import { createStore } from "../app/store";
import { type Identity, identityOf } from "./identity";

const identity = createStore<Identity | undefined>(undefined);
let current: string | undefined;

export const session = {
  /** Who is signed in, for components to follow. */
  identity,

  token: (): string | undefined => current,

  /** Takes a new token, at the sign-in and at each renewal. */
  begin(token: string): void {
    current = token;
    identity.set(identityOf(token));
  },

  /** Forgets the token: the server does not take it any more, or the person left. */
  expire(): void {
    current = undefined;
    identity.set(undefined);
  },
};
