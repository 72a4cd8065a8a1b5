/** One field while the draft order is edited, with what is wrong about it. */
import { useTranslation } from "react-i18next";

import type { FieldPath } from "./content";
import { isDecimal } from "./fieldText";
import { anchorOf } from "./Findings";
import { fieldLabel } from "./labels";
import type { Editor } from "./useEditor";
import styles from "./DraftDetail.module.css";

const LONGEST: Record<string, number> = {
  name: 300,
  notes: 4000,
  ship_to: 1000,
  currency: 3,
  uom: 20,
  customer_sku_raw: 200,
  description: 1000,
};
const LONG = new Set(["header.notes", "header.ship_to"]);

interface Props {
  readonly editor: Editor;
  readonly path: FieldPath;
  /** Ids of what else is said about the field. */
  readonly describedBy?: string | undefined;
}

export function FieldInput({ editor, path, describedBy }: Props) {
  const { t } = useTranslation();
  const fault = editor.faultOf(path);
  const wrong = fault === undefined ? editor.refusalOf(path) : t(`edit.fault.${fault}`);
  const errorId = `${anchorOf(path)}-wrong`;
  const common = {
    id: `${anchorOf(path)}-input`,
    className: styles.input,
    "aria-label": fieldLabel(t, path),
    "aria-invalid": wrong !== undefined,
    "aria-describedby": wrong === undefined ? describedBy : errorId,
    value: editor.text(path),
    maxLength: LONGEST[path.split(".").at(-1) ?? ""] ?? 100,
    onChange: (event: { readonly target: { readonly value: string } }) => {
      editor.set(path, event.target.value);
    },
  };
  return (
    <>
      {LONG.has(path) ? (
        <textarea {...common} rows={2} />
      ) : (
        <input
          {...common}
          type={path.endsWith("_date") ? "date" : "text"}
          inputMode={isDecimal(path) ? "decimal" : "text"}
          autoComplete="off"
        />
      )}
      {wrong !== undefined && (
        <span id={errorId} className={styles.finding} role="alert">
          {wrong}
        </span>
      )}
    </>
  );
}
