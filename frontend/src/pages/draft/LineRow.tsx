/** One position. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { LineReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { type LineField, linePath } from "./content";
import { product } from "./decimal";
import { FieldFindings } from "./FieldFindings";
import { FieldInput } from "./FieldInput";
import { anchorOf } from "./Findings";
import type { Reasons } from "./reasons";
import type { Editor } from "./useEditor";

const REMOVE = "×";

interface Props {
  readonly place: number;
  readonly line: LineReply;
  readonly currency: string | null;
  readonly reasons: Reasons;
  readonly editor: Editor | undefined;
  readonly measure: (row: HTMLTableRowElement | null) => void;
}

export function LineRow({ place, line, currency, reasons, editor, measure }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const money = line.currency ?? currency;
  const amount = product(line.qty, line.unit_price);
  const cell = (field: LineField, value: ReactNode, numeric = false) => {
    const path = linePath(line.line_no, field);
    const why = anchorOf(`${path}-why`);
    return (
      <td className={numeric ? "number" : undefined}>
        {editor === undefined ? (
          value
        ) : (
          <FieldInput
            editor={editor}
            path={path}
            describedBy={reasons.has(path) ? why : undefined}
          />
        )}
        <FieldFindings id={why} reasons={reasons} path={path} />
      </td>
    );
  };
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
        {editor !== undefined && (
          <Button
            variant="quiet"
            aria-label={t("edit.removeLine", { line: line.line_no })}
            onPress={() => {
              editor.removeLine(line.line_no);
            }}
          >
            {REMOVE}
          </Button>
        )}
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
      {editor !== undefined && cell("currency", null)}
      <td className="number">{amount !== undefined && format.money(amount, money)}</td>
    </tr>
  );
}
