/** The rows of a page: only those in view are drawn. */
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { DraftSort } from "../../api/schema";
import { useShortcuts } from "../../keyboard/shortcuts";
import { useFormat } from "../../i18n/format";
import { DraftRow, type RowActs } from "./DraftRow";
import styles from "./DraftList.module.css";
import type { Row } from "./queries";
import { type DraftSearch, changed, isLedByExports } from "./search";
import type { Selection } from "./selection";

const ROW_PIXELS = 44;
const ROWS_AROUND = 8;

interface Props {
  readonly rows: readonly Row[];
  readonly search: DraftSearch;
  /** Undefined when there is nothing that could be done with a selection. */
  readonly selection: Selection | undefined;
  readonly now: number;
}

export function DraftTable({ rows, search, selection, now }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const frame = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- it re-renders this very component
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PIXELS,
    overscan: ROWS_AROUND,
    // A frame may show what was drawn ahead; waiting for React within the scroll makes it stutter.
    useFlushSync: false,
  });
  const focus = useRowFocus(rows, (index) => {
    virtual.scrollToIndex(index);
  });
  useShortcuts([
    { key: "j", label: t("keyboard.next"), run: focus.next, enabled: rows.length > 0 },
    { key: "k", label: t("keyboard.previous"), run: focus.previous, enabled: rows.length > 0 },
    ...(selection === undefined
      ? []
      : [
          {
            key: "x",
            label: t("keyboard.select"),
            run: toggleFocused,
            enabled: focus.row !== undefined,
          },
        ]),
  ]);
  function toggleFocused() {
    if (focus.row !== undefined && selection !== undefined)
      selection.set([focus.row], !selection.rows.has(focus.row.id));
  }

  const address = useDraftsAddress();
  const acts = useRowActs(selection, focus.set);
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0], items.at(-1)];
  const below = last === undefined ? 0 : virtual.getTotalSize() - last.end;
  return (
    <div
      ref={frame}
      className={styles.frame}
      role="region"
      aria-label={t("drafts.table")}
      tabIndex={0}
    >
      <table className={styles.table} aria-rowcount={rows.length + 1}>
        <caption className="visually-hidden">{t("drafts.table")}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {selection !== undefined && (
              <th scope="col" className={styles.check}>
                <SelectAll rows={rows} selection={selection} />
              </th>
            )}
            <th scope="col">{t("drafts.reference")}</th>
            <SortedHead
              search={search}
              label={t("drafts.customer")}
              up="CUSTOMER"
              down="CUSTOMER_REVERSED"
            />
            <th scope="col">{t("drafts.orderNumber")}</th>
            <SortedHead
              search={search}
              label={t("drafts.orderDate")}
              up="EARLIEST_ORDER"
              down="LATEST_ORDER"
            />
            <SortedHead
              search={search}
              label={t("drafts.value")}
              up="LOWEST_VALUE"
              down="HIGHEST_VALUE"
              number
            />
            <th scope="col">{t("drafts.status")}</th>
            <SortedHead search={search} label={t("drafts.submitted")} up="OLDEST" down="NEWEST" />
            <SortedHead
              search={search}
              label={t("drafts.updated")}
              up="LONGEST_UNCHANGED"
              down="LAST_CHANGED"
            />
          </tr>
        </thead>
        <tbody>
          <Space pixels={first?.start ?? 0} />
          {items.map((item) => {
            const row = rows[item.index];
            return (
              row !== undefined && (
                <DraftRow
                  key={row.id}
                  row={row}
                  index={item.index}
                  now={now}
                  href={address + row.id}
                  selected={selection?.rows.has(row.id)}
                  acts={acts}
                  t={t}
                  format={format}
                />
              )
            );
          })}
          <Space pixels={below} />
        </tbody>
      </table>
    </div>
  );
}

/** What a row reports; never another object, so that no row is drawn anew for it. */
function useRowActs(selection: Selection | undefined, focused: (index: number) => void): RowActs {
  const router = useRouter();
  const latest = useRef(selection);
  useEffect(() => {
    latest.current = selection;
  });
  const [acts] = useState<RowActs>(() => ({
    focused,
    select: (row, selected) => latest.current?.set([row], selected),
    open(event, draftId) {
      // Everything else means another tab, a download, …: the browser's own affair.
      const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey);
      if (!isPlain || event.altKey || event.defaultPrevented) return;
      event.preventDefault();
      void router.navigate({ to: "/drafts/$draftId", params: { draftId } });
    },
  }));
  return acts;
}

/** What stands before a draft's id in the address of its page. */
function useDraftsAddress(): string {
  const router = useRouter();
  return router
    .buildLocation({ to: "/drafts/$draftId", params: { draftId: "-" } })
    .publicHref.slice(0, -1);
}

function Space({ pixels }: { readonly pixels: number }) {
  return pixels > 0 ? <tr aria-hidden style={{ blockSize: pixels }} /> : null;
}

/** Which row has the focus; the keyboard moves it, and the row with it into view. */
function useRowFocus(rows: readonly Row[], show: (index: number) => void) {
  const [index, set] = useState(-1);
  const wanted = useRef(false);
  useEffect(() => {
    if (!wanted.current) return;
    // Drawn only after the scroll.
    const timer = requestAnimationFrame(() => {
      const element = document.querySelector<HTMLElement>(`[data-row="${index}"] a`);
      if (element !== null) wanted.current = false;
      element?.focus();
    });
    return () => {
      cancelAnimationFrame(timer);
    };
  });
  const move = (by: number) => {
    const next = Math.min(Math.max(index + by, 0), rows.length - 1);
    wanted.current = true;
    show(next);
    set(next);
  };
  return {
    index,
    set,
    row: rows[index],
    next: () => {
      move(1);
    },
    previous: () => {
      move(-1);
    },
  };
}

function SelectAll({
  rows,
  selection,
}: {
  readonly rows: readonly Row[];
  readonly selection: Selection;
}) {
  const { t } = useTranslation();
  const count = rows.filter((row) => selection.rows.has(row.id)).length;
  const all = count === rows.length && count > 0;
  return (
    <input
      type="checkbox"
      aria-label={t("drafts.selectPage")}
      checked={all}
      ref={(box) => {
        if (box !== null) box.indeterminate = count > 0 && !all;
      }}
      onChange={() => {
        selection.set(rows, !all);
      }}
    />
  );
}

interface HeadProps {
  readonly search: DraftSearch;
  readonly label: string;
  readonly up: DraftSort;
  readonly down: DraftSort;
  readonly number?: boolean;
}

/** A column that the list can be sorted by: first press falling, then rising. */
function SortedHead({ search, label, up, down, number = false }: HeadProps) {
  const navigate = useNavigate();
  const sort = search.sort ?? "NEWEST";
  const order = sort === up ? "ascending" : sort === down ? "descending" : undefined;
  const shown = isLedByExports(search) ? undefined : order;
  const next = order === "descending" ? up : down;
  return (
    <th scope="col" aria-sort={shown} className={number ? "number" : undefined}>
      {isLedByExports(search) ? (
        label
      ) : (
        <button
          type="button"
          className={styles.sort}
          onClick={() => {
            const changes = { sort: next === "NEWEST" ? undefined : next };
            void navigate({ to: "/drafts", search: changed(search, changes) });
          }}
        >
          {label}
        </button>
      )}
    </th>
  );
}
