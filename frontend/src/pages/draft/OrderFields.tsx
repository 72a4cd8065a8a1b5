/** Customer and header. */
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { type Format, useFormat } from "../../i18n/format";
import { ORDER_PATHS, type OrderPath, orderValue } from "./content";
import { FieldFindings } from "./FieldFindings";
import { FieldInput } from "./FieldInput";
import { anchorOf } from "./Findings";
import { fieldLabel } from "./labels";
import type { Reasons } from "./reasons";
import type { Editor } from "./useEditor";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly draft: DraftDetailReply;
  readonly reasons: Reasons;
  readonly editor: Editor | undefined;
}

export function OrderFields({ draft, reasons, editor }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const total = draft.total_value;
  return (
    <section className={styles.card} aria-labelledby="order">
      <h2 id="order">{t("draft.order")}</h2>
      <dl className={styles.fields}>
        {ORDER_PATHS.map((path) => (
          <div key={path} id={anchorOf(path)} tabIndex={-1}>
            <dt>{fieldLabel(t, path)}</dt>
            <dd>
              {editor === undefined ? (
                (shown(format, path, orderValue(draft, path)) ?? (
                  <span className="muted">{t("draft.absent")}</span>
                ))
              ) : (
                <FieldInput
                  editor={editor}
                  path={path}
                  describedBy={reasons.has(path) ? `${anchorOf(path)}-why` : undefined}
                />
              )}
              <FieldFindings id={`${anchorOf(path)}-why`} reasons={reasons} path={path} />
            </dd>
          </div>
        ))}
        <div>
          <dt>{t("draft.total")}</dt>
          <dd className={styles.total}>
            {total !== null && format.money(total, draft.header.currency)}
          </dd>
        </div>
        {draft.source_document.file_name !== null && (
          <div>
            <dt>{t("draft.field.source")}</dt>
            <dd>{draft.source_document.file_name}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function shown(format: Format, path: OrderPath, value: string | null): string | null {
  if (value === null) return null;
  return path.endsWith("_date") ? format.day(value) : value;
}
