/** Whether the server answered the last time it was asked. */
import { createStore } from "../app/store";

const store = createStore(true);

export const reachability = {
  /** Every call reports how it went. */
  report(answered: boolean): void {
    store.set(answered);
  },
  store,
};
