/** The frame of a chart: scale, days, legend; what it draws stands in a table, too. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useFormat } from "../../i18n/format";
import { BOTTOM, HEIGHT, LEFT, TOP, WIDTH, yOf } from "./plot";
import styles from "./Overview.module.css";

interface Props {
  readonly title: string;
  readonly days: readonly string[];
  readonly top: number;
  readonly scale: (value: number) => string;
  /** Class and name of each series. */
  readonly legend: readonly (readonly [string | undefined, string])[];
  readonly table: ReactNode;
  readonly children: ReactNode;
}

const LABELS = 6;

export function Chart({ title, days, top, scale, legend, table, children }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const step = Math.ceil(days.length / LABELS);
  const width = (WIDTH - LEFT) / days.length;
  return (
    <figure className={styles.card}>
      <figcaption>
        <h2>{title}</h2>
      </figcaption>
      <ul className={styles.legend} aria-hidden>
        {legend.map(([className, name]) => (
          <li key={name} className={className}>
            {name}
          </li>
        ))}
      </ul>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={t("overview.chart", { title })}
      >
        {[0, 0.5, 1].map((part) => (
          <g key={part} className={styles.grid}>
            <line x1={LEFT} x2={WIDTH} y1={yOf(part * top, top)} y2={yOf(part * top, top)} />
            <text x={LEFT - 6} y={yOf(part * top, top) + 4} textAnchor="end">
              {scale(part * top)}
            </text>
          </g>
        ))}
        {children}
        {days.map(
          (day, at) =>
            at % step === 0 && (
              <text
                key={day}
                className={styles.day}
                x={LEFT + width * (at + 0.5)}
                y={HEIGHT - BOTTOM + TOP + 4}
                textAnchor="middle"
              >
                {format.day(day)}
              </text>
            ),
        )}
      </svg>
      <details>
        <summary>{t("overview.asTable", { title })}</summary>
        {table}
      </details>
    </figure>
  );
}
