/** The positions with what helps to find one of them. */
import { type Ref, useMemo, useState } from "react";
import { Input, Label, SearchField, SwitchButton, SwitchField } from "react-aria-components";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply, LineReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { LINE_FIELDS, lineOf } from "./content";
import { edited } from "./edits";
import { FieldFindings } from "./FieldFindings";
import { anchorOf } from "./Findings";
import { type LinesHandle, LinesTable } from "./LinesTable";
import type { Reasons } from "./reasons";
import type { Editor } from "./useEditor";
import card from "./DraftDetail.module.css";
import styles from "./LinesTable.module.css";

/** A list that one sees at a glance needs no search. */
const AT_A_GLANCE = 10;

interface Props {
  readonly draft: DraftDetailReply;
  readonly reasons: Reasons;
  readonly editor: Editor | undefined;
  readonly ref?: Ref<LinesHandle>;
}

export function Lines({ draft, reasons, editor, ref }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [wanted, setWanted] = useState("");
  const [onlyFindings, setOnlyFindings] = useState(false);
  const lines = useMemo(
    () => (editor === undefined ? draft.lines : edited(editor.base, editor.edits).lines),
    [draft.lines, editor],
  );
  const shown = useMemo(
    () => fitting(lines, wanted, onlyFindings ? linesWithFindings(reasons) : undefined),
    [lines, wanted, onlyFindings, reasons],
  );
  const count = lines.length;
  return (
    <section className={card.card} aria-labelledby="lines" id={anchorOf("lines")} tabIndex={-1}>
      <h2 id="lines">{t("draft.lines")}</h2>
      {count > AT_A_GLANCE && (
        <div className={styles.tools}>
          <SearchField value={wanted} onChange={setWanted}>
            <Label>{t("draft.findLine")}</Label>
            <Input />
          </SearchField>
          <SwitchField isSelected={onlyFindings} onChange={setOnlyFindings}>
            <SwitchButton>
              <span className="indicator" />
              {t("draft.onlyFindings")}
            </SwitchButton>
          </SwitchField>
        </div>
      )}
      <p className="muted" role="status">
        {shown.length === count
          ? t("draft.linesCount", { count })
          : t("draft.linesShown", { shown: format.count(shown.length), count })}
      </p>
      <FieldFindings id={anchorOf("lines-why")} reasons={reasons} path="lines" />
      {shown.length === 0 && count > 0 && <p>{t("draft.noLineFits")}</p>}
      {shown.length > 0 && (
        <LinesTable
          lines={shown}
          currency={draft.header.currency}
          reasons={reasons}
          editor={editor}
          {...(ref === undefined ? {} : { ref })}
        />
      )}
      {editor !== undefined && (
        <div>
          <Button onPress={editor.addLine}>{t("edit.addLine")}</Button>
        </div>
      )}
    </section>
  );
}

function fitting(
  lines: readonly LineReply[],
  wanted: string,
  among: ReadonlySet<number> | undefined,
): readonly LineReply[] {
  const text = wanted.trim().toLowerCase();
  if (text === "" && among === undefined) return lines;
  return lines.filter(
    (line) =>
      (among?.has(line.line_no) ?? true) &&
      (String(line.line_no) === text ||
        LINE_FIELDS.some((field) => line[field]?.toLowerCase().includes(text) ?? text === "")),
  );
}

function linesWithFindings(reasons: Reasons): ReadonlySet<number> {
  return new Set([...reasons.keys()].flatMap((path) => lineOf(path)?.line ?? []));
}
