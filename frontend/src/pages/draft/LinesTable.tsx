/** The positions. Only those in view are in the page, so that thousands scroll as one does. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type Ref, useImperativeHandle, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { LineReply } from "../../api/schema";
import { LineRow } from "./LineRow";
import type { Reasons } from "./reasons";
import type { Editor } from "./useEditor";
import styles from "./LinesTable.module.css";

const ROW_PIXELS = 34;
const EDITED_ROW_PIXELS = 46;
const ROWS_BEYOND = 10;
const COLUMNS = [
  "line_no",
  "internal_sku",
  "customer_sku_raw",
  "description",
  "qty",
  "uom",
  "unit_price",
  "currency",
  "amount",
] as const;
const NUMERIC = new Set<string>(["line_no", "qty", "unit_price", "amount"]);

export interface LinesHandle {
  /** Scrolls to a line and moves the focus there. */
  goTo(line: number): void;
}

interface Props {
  readonly lines: readonly LineReply[];
  readonly currency: string | null;
  readonly reasons: Reasons;
  readonly editor: Editor | undefined;
  readonly ref?: Ref<LinesHandle>;
}

export function LinesTable({ lines, currency, reasons, editor, ref }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  // The compiler leaves this component alone: a virtualizer changes inside.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (editor === undefined ? ROW_PIXELS : EDITED_ROW_PIXELS),
    overscan: ROWS_BEYOND,
    getItemKey: (place) => lines[place]?.line_no ?? place,
  });
  useImperativeHandle(ref, () => ({
    goTo(line) {
      const place = lines.findIndex((each) => each.line_no === line);
      if (place < 0) return;
      virtual.scrollToIndex(place, { align: "center" });
      requestAnimationFrame(() => {
        scroller.current?.querySelector<HTMLElement>(`[data-line="${line}"]`)?.focus();
      });
    },
  }));
  // The currency of a price is written with it; it needs a column only to be changed.
  const columns = COLUMNS.filter((column) => editor !== undefined || column !== "currency");
  const rows = virtual.getVirtualItems();
  const above = rows[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (rows.at(-1)?.end ?? 0);
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      // Reached by Tab, so that it can be scrolled by keyboard.
      tabIndex={0}
      role="region"
      aria-label={t("draft.linesTable")}
    >
      <table className={styles.table} aria-rowcount={lines.length + 1} aria-labelledby="lines">
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column} scope="col" className={NUMERIC.has(column) ? "number" : undefined}>
                {t(`draft.field.line.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap pixels={above} />
          {rows.map(({ index, key }) => {
            const line = lines[index];
            return (
              line && (
                <LineRow
                  key={key}
                  place={index}
                  line={line}
                  currency={currency}
                  reasons={reasons}
                  editor={editor}
                  measure={virtual.measureElement}
                />
              )
            );
          })}
          <Gap pixels={below} />
        </tbody>
      </table>
    </div>
  );
}

function Gap({ pixels }: { readonly pixels: number }) {
  if (pixels <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={COLUMNS.length} style={{ blockSize: pixels, padding: 0 }} />
    </tr>
  );
}
