/**
 * One row. Twenty of them are drawn anew while one scroll of a wheel goes by, so a row asks for
 * nothing by itself: words, formats and the link's way come from the table.
 */
import type { TFunction } from "i18next";
import { type MouseEvent, memo } from "react";

import type { Format } from "../../i18n/format";
import styles from "./DraftList.module.css";
import { exportHint } from "./exportHint";
import type { Row } from "./queries";

export interface RowActs {
  readonly focused: (index: number) => void;
  readonly select: (row: Row, selected: boolean) => void;
  /** Follows the row's link. */
  readonly open: (event: MouseEvent, draftId: string) => void;
}

interface Props {
  readonly row: Row;
  readonly index: number;
  readonly now: number;
  /** The address of its page. */
  readonly href: string;
  /** Undefined when rows cannot be selected. */
  readonly selected: boolean | undefined;
  /** The same object for as long as the table is there. */
  readonly acts: RowActs;
  readonly t: TFunction;
  readonly format: Format;
}

export const DraftRow = memo(function DraftRow({
  row,
  index,
  now,
  href,
  selected,
  acts,
  t,
  format,
}: Props) {
  const hint = exportHint(t, format, row, now);
  return (
    <tr
      aria-rowindex={index + 2}
      data-row={index}
      data-draft={row.id}
      onFocus={() => {
        acts.focused(index);
      }}
      className={selected === true ? styles.selected : undefined}
    >
      {selected !== undefined && (
        <td className={styles.check}>
          <input
            type="checkbox"
            aria-label={t("drafts.selectRow", { reference: row.external_ref })}
            checked={selected}
            onChange={(event) => {
              acts.select(row, event.currentTarget.checked);
            }}
          />
        </td>
      )}
      <th scope="row">
        <a
          href={href}
          onClick={(event) => {
            acts.open(event, row.id);
          }}
        >
          {row.external_ref}
        </a>
      </th>
      <td>
        {row.customer_name} <span className="muted">{row.erp_customer_number}</span>
      </td>
      <td>{row.external_order_number}</td>
      <td>{row.order_date !== null && format.day(row.order_date)}</td>
      <td className="number">
        {row.total_value !== null && format.money(row.total_value, row.currency)}
      </td>
      <td>
        <span className="status" data-status={row.status}>
          {t(`common.status.${row.status}`)}
        </span>{" "}
        {hint !== undefined && (
          <span className={styles.hint} title={hint}>
            {hint}
          </span>
        )}
      </td>
      <td>{row.created_at !== null && format.ago(row.created_at, now)}</td>
      <td>{row.updated_at !== null && format.ago(row.updated_at, now)}</td>
    </tr>
  );
});
