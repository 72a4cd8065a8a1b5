/** Edits that outlive a reload and a sign-in that ran out: kept in this tab until saved or dropped. */
import type { DraftDetailReply } from "../../api/schema";
import { session } from "../../auth/session";
import type { Edits } from "./edits";

/** What is being edited: the draft as it was, and what the person changed in it. */
export interface Unsaved {
  readonly base: DraftDetailReply;
  readonly edits: Edits;
  /** Texts that mean no value yet, by path. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Another person at the same tab finds nothing of this one. */
const slot = (draftId: string) =>
  `countersign.edits.${session.identity.get()?.subject ?? ""}.${draftId}`;

export function keptEdits(draftId: string): Unsaved | undefined {
  const text = sessionStorage.getItem(slot(draftId));
  return text === null ? undefined : (JSON.parse(text) as Unsaved);
}

/** Keeps `unsaved`, or nothing; where it does not fit, it lives as long as the page. */
export function keepEdits(draftId: string, unsaved: Unsaved | undefined): void {
  if (unsaved === undefined) {
    sessionStorage.removeItem(slot(draftId));
    return;
  }
  // History and exports are neither edited nor compared.
  const base = { ...unsaved.base, audit_trail: null, exports: null };
  try {
    sessionStorage.setItem(slot(draftId), JSON.stringify({ ...unsaved, base }));
  } catch {
    sessionStorage.removeItem(slot(draftId));
  }
}
