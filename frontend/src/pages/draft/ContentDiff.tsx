/** Two contents of a draft order, side by side where they differ. */
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { Button } from "../../ui/Button";
import { type Change, differences } from "./changes";
import type { Content } from "./content";
import { fieldLabel } from "./labels";
import styles from "./DraftDetail.module.css";

const AT_FIRST = 50;

interface Props {
  readonly before: Content;
  readonly after: Content;
  /** What stands above the columns, when "Before" and "Now" say too little. */
  readonly labels?: { readonly before: string; readonly after: string };
}

export function ContentDiff({ before, after, labels }: Props) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const changes = useMemo(() => differences(before, after), [before, after]);
  if (changes.length === 0) return <p className="muted">{t("act.diff.none")}</p>;
  return (
    <>
      <table className={styles.turns}>
        <thead>
          <tr>
            <th scope="col">{t("act.diff.field")}</th>
            <th scope="col">{labels?.before ?? t("act.diff.before")}</th>
            <th scope="col">{labels?.after ?? t("act.diff.after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.slice(0, all ? undefined : AT_FIRST).map((change, place) => (
            <Row key={place} change={change} />
          ))}
        </tbody>
      </table>
      {!all && changes.length > AT_FIRST && (
        <Button
          onPress={() => {
            setAll(true);
          }}
        >
          {t("act.diff.more", { count: changes.length })}
        </Button>
      )}
    </>
  );
}

function Row({ change }: { readonly change: Change }) {
  const { t } = useTranslation();
  if (change.kind === "field") {
    return (
      <tr>
        <th scope="row">{fieldLabel(t, change.path)}</th>
        <td>{change.before !== null && <del>{change.before}</del>}</td>
        <td>{change.after !== null && <ins>{change.after}</ins>}</td>
      </tr>
    );
  }
  const added = change.kind === "added";
  return (
    <tr>
      <th scope="row">
        {t(added ? "act.diff.lineAdded" : "act.diff.lineRemoved", { line: change.line })}
      </th>
      <td>{!added && <del>{change.text}</del>}</td>
      <td>{added && <ins>{change.text}</ins>}</td>
    </tr>
  );
}
