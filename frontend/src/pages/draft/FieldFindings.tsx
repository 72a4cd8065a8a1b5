/** What the ready check found about one field, beside it. */
import { useTranslation } from "react-i18next";

import { type Reasons, reasonText } from "./reasons";
import styles from "./DraftDetail.module.css";

interface Props {
  readonly id: string;
  readonly reasons: Reasons;
  readonly path: string;
}

export function FieldFindings({ id, reasons, path }: Props) {
  const { t } = useTranslation();
  const found = reasons.get(path);
  if (found === undefined) return null;
  return (
    <span className={styles.finding} id={id}>
      {found.map((each) => reasonText(t, each)).join(" ")}
    </span>
  );
}
