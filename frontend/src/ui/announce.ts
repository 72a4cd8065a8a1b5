/** Sentences for screen readers, read out when there is a pause. */
import { createStore } from "../app/store";

export const announcement = createStore("");

export function announce(sentence: string): void {
  // The same sentence again is news, too: a space makes it another one.
  announcement.set(sentence === announcement.get() ? `${sentence} ` : sentence);
}
