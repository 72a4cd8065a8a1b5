/** From push to delivery, by day: half took no longer than the one line, 95 of 100 than the other. */
import { useTranslation } from "react-i18next";

import { useFormat } from "../../i18n/format";
import { Chart } from "./Chart";
import { type Row, ceiling } from "./figures";
import { TIMES, FiguresTable } from "./FiguresTable";
import { LEFT, WIDTH, yOf } from "./plot";
import { useDuration } from "./useDuration";
import styles from "./Overview.module.css";

const SERIES = ["median_milliseconds", "p95_milliseconds"] as const;
const CLASSES = {
  median_milliseconds: styles.median,
  p95_milliseconds: styles.p95,
} as const;
const DOT = 4;

export function LatencyChart({ rows }: { readonly rows: readonly Row[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const duration = useDuration();
  const top = ceiling(Math.max(0, ...rows.map((each) => each.p95_milliseconds ?? 0)));
  const width = (WIDTH - LEFT) / rows.length;
  const points = (series: (typeof SERIES)[number]) =>
    rows.flatMap((row, at) => {
      const value = row[series];
      const x = LEFT + width * (at + 0.5);
      return value === null ? [] : [{ key: row.key, x, y: yOf(value, top) }];
    });
  return (
    <Chart
      title={t("overview.latencyByDay")}
      days={rows.map((each) => each.key)}
      top={top}
      scale={duration}
      legend={SERIES.map((each) => [CLASSES[each], t(`overview.${each}`)])}
      table={
        <FiguresTable
          caption={t("overview.latencyByDay")}
          rows={rows}
          columns={TIMES}
          name={(day) => format.day(day)}
        />
      }
    >
      {SERIES.map((series) => (
        <g key={series} className={CLASSES[series]}>
          <polyline
            points={points(series)
              .map(({ x, y }) => `${x},${y}`)
              .join(" ")}
          />
          {points(series).map(({ key, x, y }) => (
            <circle key={key} cx={x} cy={y} r={DOT} />
          ))}
        </g>
      ))}
    </Chart>
  );
}
