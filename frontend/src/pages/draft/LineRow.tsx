/** One position. */
import type { ReactNode } from "react";

import type { LineReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { type LineField, linePath } from "./content";
import { product } from "./decimal";
import { FieldFindings } from "./FieldFindings";
import { anchorOf } from "./Findings";
import type { Reasons } from "./reasons";

interface Props {
  readonly place: number;
  readonly line: LineReply;
  readonly currency: string | null;
  readonly reasons: Reasons;
  readonly measure: (row: HTMLTableRowElement | null) => void;
}

export function LineRow({ place, line, currency, reasons, measure }: Props) {
  const format = useFormat();
  const money = line.currency ?? currency;
  const amount = product(line.qty, line.unit_price);
  const cell = (field: LineField, value: ReactNode, numeric = false) => (
    <td className={numeric ? "number" : undefined}>
      {value}
      <FieldFindings
        id={anchorOf(`${linePath(line.line_no, field)}-why`)}
        reasons={reasons}
        path={linePath(line.line_no, field)}
      />
    </td>
  );
  return (
    <tr
      ref={measure}
      data-index={place}
      data-line={line.line_no}
      aria-rowindex={place + 2}
      tabIndex={-1}
    >
      <th scope="row" className="number">
        {line.line_no}
        <FieldFindings
          id={anchorOf(`lines[${line.line_no}]-why`)}
          reasons={reasons}
          path={`lines[${line.line_no}]`}
        />
      </th>
      {cell("internal_sku", line.internal_sku)}
      {cell("customer_sku_raw", line.customer_sku_raw)}
      {cell("description", line.description)}
      {cell("qty", line.qty !== null && format.decimal(line.qty), true)}
      {cell("uom", line.uom)}
      {cell("unit_price", line.unit_price !== null && format.money(line.unit_price, money), true)}
      <td className="number">{amount !== undefined && format.money(amount, money)}</td>
    </tr>
  );
}
