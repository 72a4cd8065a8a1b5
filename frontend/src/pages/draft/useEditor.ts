/** Editing a draft order in place: begin, change, save under the version that was seen. */
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, body } from "../../api/client";
import { Problem } from "../../api/problem";
import type { DraftDetailReply } from "../../api/schema";
import { localeOf } from "../../i18n/i18n";
import { etag } from "./acts";
import type { FieldPath } from "./content";
import {
  NO_EDITS,
  edited,
  patchOf,
  rebased,
  size,
  valueOf,
  withLine,
  withValue,
  withoutLine,
} from "./edits";
import { type Fault, meantBy, separatorOf, shownText } from "./fieldText";
import { type Unsaved, keepEdits, keptEdits } from "./unsaved";
import { useAct } from "./useAct";

export interface Editor extends Unsaved {
  readonly count: number;
  readonly busy: boolean;
  readonly error: unknown;
  /** Whether every text means a value. */
  readonly complete: boolean;
  readonly text: (path: FieldPath) => string;
  readonly set: (path: FieldPath, text: string) => void;
  readonly faultOf: (path: FieldPath) => Fault | undefined;
  /** What the server said about a field at the last save. */
  readonly refusalOf: (path: FieldPath) => string | undefined;
  readonly addLine: () => void;
  readonly removeLine: (line: number) => void;
  readonly save: () => void;
  readonly drop: () => void;
  /** Goes on with the edits on `now`; `mine` are the conflicts that the person wins. */
  readonly moveOnto: (now: DraftDetailReply, mine: ReadonlySet<string>) => void;
}

/** `editor` is undefined while nobody edits. */
export function useEditor(draft: DraftDetailReply): {
  readonly editor: Editor | undefined;
  readonly begin: () => void;
} {
  const { i18n } = useTranslation();
  const [unsaved, setUnsaved] = useState(() => keptEdits(draft));
  const update = (next: Unsaved | undefined) => {
    setUnsaved(next);
    keepEdits(draft.id, next);
  };
  const saving = useAct(draft.id, save, () => {
    update(undefined);
  });
  const begin = () => {
    saving.reset();
    update({ base: draft, edits: NO_EDITS, texts: {} });
  };
  if (unsaved === undefined) return { editor: undefined, begin };
  const separator = separatorOf(localeOf(i18n.language));
  return { editor: editorOf(unsaved, update, saving, separator), begin };
}

function editorOf(
  unsaved: Unsaved,
  update: (next: Unsaved | undefined) => void,
  saving: ReturnType<typeof useAct<Unsaved, unknown>>,
  separator: string,
): Editor {
  const { base, edits, texts } = unsaved;
  const refusals = refusalsOf(unsaved, saving.error);
  const count = size(edits);
  const complete = Object.keys(texts).length === 0;
  return {
    ...unsaved,
    count,
    complete,
    busy: saving.busy,
    error: saving.error,
    text: (path) => texts[path] ?? shownText(path, valueOf(base, edits, path), separator),
    set(path, text) {
      const meant = meantBy(path, text, separator);
      if ("fault" in meant) {
        update({ ...unsaved, texts: { ...texts, [path]: text } });
        return;
      }
      const others = Object.fromEntries(Object.entries(texts).filter(([name]) => name !== path));
      update({ ...unsaved, edits: withValue(base, edits, path, meant.value), texts: others });
    },
    faultOf(path) {
      const meant = meantBy(path, texts[path] ?? "", separator);
      return "fault" in meant ? meant.fault : undefined;
    },
    refusalOf: (path) => refusals.get(path),
    addLine: () => {
      update({ ...unsaved, edits: withLine(base, edits) });
    },
    removeLine: (line) => {
      const others = Object.entries(texts).filter(([path]) => !path.startsWith(`lines[${line}]`));
      update({
        ...unsaved,
        edits: withoutLine(base, edits, line),
        texts: Object.fromEntries(others),
      });
    },
    save: () => {
      if (count === 0 && complete) update(undefined);
      else if (complete) saving.run(unsaved);
    },
    drop: () => {
      update(undefined);
    },
    moveOnto: (now, mine) => {
      saving.reset();
      update({ base: now, edits: rebased(base, edits, now, mine), texts });
    },
  };
}

function save({ base, edits }: Unsaved): Promise<unknown> {
  return body(
    api.PATCH("/draft-orders/{id}", {
      params: { path: { id: base.id }, header: { "If-Match": etag(base.version) } },
      body: patchOf(base, edits),
    }),
  );
}

const SENT_LINE = /^lines\[(\d+)\]\.(\w+)$/;

/** The server counts the lines that it was sent; the page knows them by number. */
function refusalsOf({ base, edits }: Unsaved, error: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!(error instanceof Problem)) return found;
  const { lines } = edited(base, edits);
  for (const { field, detail } of error.document.errors ?? []) {
    const [, place, name] = SENT_LINE.exec(field) ?? [];
    const line = place === undefined ? undefined : lines[Number(place)]?.line_no;
    found.set(line === undefined ? field : `lines[${line}].${name ?? ""}`, detail);
  }
  return found;
}
