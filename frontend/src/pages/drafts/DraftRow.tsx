import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { useTranslation } from "react-i18next";

import { useFormat } from "../../i18n/format";
import { StatusBadge } from "../../ui/StatusBadge";
import styles from "./DraftList.module.css";
import { ExportHint } from "./ExportHint";
import type { Row } from "./queries";

interface Props {
  readonly row: Row;
  readonly index: number;
  readonly now: number;
  readonly onFocus: () => void;
  /** Undefined when rows cannot be selected. */
  readonly selected: boolean | undefined;
  readonly onSelect: (selected: boolean) => void;
}

export const DraftRow = memo(Shown, (old, next) => {
  const { onFocus: _f, onSelect: _s, ...before } = old;
  const { onFocus: _g, onSelect: _t, ...after } = next;
  return (Object.keys(after) as (keyof typeof after)[]).every((key) => before[key] === after[key]);
});

function Shown({ row, index, now, onFocus, selected, onSelect }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <tr
      aria-rowindex={index + 2}
      data-row={index}
      data-draft={row.id}
      onFocus={onFocus}
      className={selected === true ? styles.selected : undefined}
    >
      {selected !== undefined && (
        <td className={styles.check}>
          <input
            type="checkbox"
            aria-label={t("drafts.selectRow", { reference: row.external_ref })}
            checked={selected}
            onChange={(event) => {
              onSelect(event.currentTarget.checked);
            }}
          />
        </td>
      )}
      <th scope="row">
        <Link to="/drafts/$draftId" params={{ draftId: row.id }}>
          {row.external_ref}
        </Link>
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
        <StatusBadge status={row.status} /> <ExportHint row={row} now={now} />
      </td>
      <td>{row.created_at !== null && format.ago(row.created_at, now)}</td>
      <td>{row.updated_at !== null && format.ago(row.updated_at, now)}</td>
    </tr>
  );
}
