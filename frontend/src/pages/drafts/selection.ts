/** The drafts that are selected; forgotten when the list becomes another one. */
import { useState } from "react";

import { type DraftSearch, listKey } from "./search";
import type { Row } from "./queries";

export interface Selection {
  readonly rows: ReadonlyMap<string, Row>;
  readonly set: (rows: Iterable<Row>, selected: boolean) => void;
  readonly clear: () => void;
}

const NOTHING: ReadonlyMap<string, Row> = new Map();

export function useSelection(search: DraftSearch): Selection {
  const key = listKey(search);
  const [held, setHeld] = useState({ key, rows: NOTHING });
  const rows = held.key === key ? held.rows : NOTHING;
  return {
    rows,
    set(changed, selected) {
      setHeld((old) => {
        const next = new Map(old.key === key ? old.rows : NOTHING);
        for (const row of changed) {
          if (selected) next.set(row.id, row);
          else next.delete(row.id);
        }
        return { key, rows: next };
      });
    },
    clear() {
      setHeld({ key, rows: NOTHING });
    },
  };
}
