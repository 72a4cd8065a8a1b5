/** What was pushed on each day, and what became of it. */
import { useTranslation } from "react-i18next";

import { useFormat } from "../../i18n/format";
import { Chart } from "./Chart";
import { type Row, ceiling } from "./figures";
import { COUNTS, FiguresTable } from "./FiguresTable";
import { LEFT, WIDTH, yOf } from "./plot";
import styles from "./Overview.module.css";

const SERIES = ["delivered", "waiting", "failed"] as const;
const CLASSES = {
  delivered: styles.delivered,
  waiting: styles.waiting,
  failed: styles.failed,
} as const;

export function PushesChart({ rows }: { readonly rows: readonly Row[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const top = ceiling(Math.max(0, ...rows.map((each) => each.pushed)));
  const width = (WIDTH - LEFT) / rows.length;
  return (
    <Chart
      title={t("overview.pushesByDay")}
      days={rows.map((each) => each.key)}
      top={top}
      scale={(value) => (Number.isInteger(value) ? format.count(value) : "")}
      legend={SERIES.map((each) => [CLASSES[each], t(`overview.${each}`)])}
      table={
        <FiguresTable
          caption={t("overview.pushesByDay")}
          rows={rows}
          columns={COUNTS}
          name={(day) => format.day(day)}
        />
      }
    >
      {rows.map((row, at) => (
        <Column
          key={row.key}
          row={row}
          x={LEFT + width * (at + 0.15)}
          width={width * 0.7}
          top={top}
        />
      ))}
    </Chart>
  );
}

interface ColumnProps {
  readonly row: Row;
  readonly x: number;
  readonly width: number;
  readonly top: number;
}

/** Delivered at the bottom, what waits on it, failures on top. */
function Column({ row, x, width, top }: ColumnProps) {
  return SERIES.map((series, at) => {
    const below = SERIES.slice(0, at).reduce((sum, each) => sum + row[each], 0);
    const y = yOf(below + row[series], top);
    const height = yOf(below, top) - y;
    return (
      height > 0 && (
        <rect key={series} className={CLASSES[series]} x={x} y={y} width={width} height={height} />
      )
    );
  });
}
