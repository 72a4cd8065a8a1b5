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
const slot = (what: "edits" | "base", draftId: string) =>
  `countersign.${what}.${session.identity.get()?.subject ?? ""}.${draftId}`;

interface Kept extends Pick<Unsaved, "edits" | "texts"> {
  /** Version of the draft that they were made in. */
  readonly version: number;
}

/** What was kept of editing `draft`. */
export function keptEdits(draft: DraftDetailReply): Unsaved | undefined {
  const text = sessionStorage.getItem(slot("edits", draft.id));
  if (text === null) return undefined;
  const { version, edits, texts } = JSON.parse(text) as Kept;
  return { base: keptBase(draft, version), edits, texts };
}

/** Keeps `unsaved`, or nothing; where it does not fit, it lives as long as the page. */
export function keepEdits(draftId: string, unsaved: Unsaved | undefined): void {
  if (unsaved === undefined) {
    sessionStorage.removeItem(slot("edits", draftId));
    sessionStorage.removeItem(slot("base", draftId));
    return;
  }
  const { base, edits, texts } = unsaved;
  keepBase(base);
  keep(slot("edits", draftId), { version: base.version, edits, texts });
}

const keptBases = new WeakSet<DraftDetailReply>();

/** Once: an order may have thousands of lines, and edits are kept at every key. */
function keepBase(base: DraftDetailReply): void {
  if (keptBases.has(base)) return;
  keptBases.add(base);
  // History and exports are neither edited nor compared.
  keep(slot("base", base.id), { ...base, audit_trail: null, exports: null });
}

/**
 * The draft of that version. An order that was too large to keep: as it is now, under the version
 * of then, so that a save finds out what became of it; each edit knows what it was made on.
 */
function keptBase(draft: DraftDetailReply, version: number): DraftDetailReply {
  const text = sessionStorage.getItem(slot("base", draft.id));
  const base = text === null ? undefined : (JSON.parse(text) as DraftDetailReply);
  if (base?.version !== version) return { ...draft, version };
  keptBases.add(base);
  return base;
}

function keep(name: string, value: object): void {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    sessionStorage.removeItem(name);
  }
}
