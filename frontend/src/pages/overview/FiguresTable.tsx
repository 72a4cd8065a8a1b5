/** Sums in a table: by day or by connection. */
import { useTranslation } from "react-i18next";

import { useFormat } from "../../i18n/format";
import type { Row } from "./figures";
import { useDuration } from "./useDuration";
import styles from "./Overview.module.css";

interface Props {
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly columns?: readonly Column[];
  /** What a row's key is called. */
  readonly name: (key: string) => string;
}

export const COUNTS = ["pushed", "delivered", "acked", "failed", "waiting"] as const;
export const TIMES = ["median_milliseconds", "p95_milliseconds"] as const;
export type Column = (typeof COUNTS)[number] | (typeof TIMES)[number];

const isTime = (column: Column) => TIMES.some((each) => each === column);

export function FiguresTable({ caption, rows, columns = [...COUNTS, ...TIMES], name }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const duration = useDuration();
  const figure = (column: Column, value: number | null) =>
    value === null ? "–" : isTime(column) ? duration(value) : format.count(value);
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{t("overview.what")}</th>
          {columns.map((each) => (
            <th key={each} scope="col" className="number">
              {t(`overview.${each}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <th scope="row">{name(row.key)}</th>
            {columns.map((each) => (
              <td key={each} className="number">
                {figure(each, row[each])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
