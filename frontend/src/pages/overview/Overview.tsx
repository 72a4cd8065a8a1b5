/** How pushing fares: pushes, failures, latency, what waits; by day and by connection. */
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { StatisticsReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { connectionsQuery } from "../connections/queries";
import { byConnection, byDay, oldest, total } from "./figures";
import { FiguresTable } from "./FiguresTable";
import { LatencyChart } from "./LatencyChart";
import { PushesChart } from "./PushesChart";
import { statisticsQuery } from "./queries";
import { STRETCHES } from "./search";
import { useDuration } from "./useDuration";
import { Waiting } from "./Waiting";
import styles from "./Overview.module.css";

const route = getRouteApi("/overview");

export function Overview() {
  const { t } = useTranslation();
  const { days = STRETCHES[0] } = route.useSearch();
  const { data, error } = useQuery(statisticsQuery(days));
  return (
    <section className="page">
      <title>{t("overview.title")}</title>
      <h1>{t("overview.title")}</h1>
      <nav aria-label={t("overview.stretch")} className={styles.stretches}>
        {STRETCHES.map((each) => (
          <Link
            key={each}
            to="/overview"
            search={{ days: each }}
            {...(each === days ? { "aria-current": "page" as const } : {})}
          >
            {t("overview.days", { count: each })}
          </Link>
        ))}
      </nav>
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? (
        error === null && <Loading />
      ) : (
        <Sums found={data.found} names={data.names} />
      )}
    </section>
  );
}

interface SumsProps {
  readonly found: StatisticsReply;
  readonly names: readonly string[];
}

function Sums({ found, names }: SumsProps) {
  const { t } = useTranslation();
  const { data: connections = [] } = useQuery(connectionsQuery);
  const name = (id: string) => connections.find((each) => each.id === id)?.name ?? id;
  const days = byDay(found, names);
  return (
    <>
      <Totals found={found} />
      <div className={styles.charts}>
        <PushesChart rows={days} />
        <LatencyChart rows={days} />
      </div>
      <section className={styles.card} aria-labelledby="by-connection">
        <h2 id="by-connection">{t("overview.byConnection")}</h2>
        <FiguresTable caption={t("overview.byConnection")} rows={byConnection(found)} name={name} />
      </section>
      <Waiting rows={found.waiting} name={name} />
    </>
  );
}

function Totals({ found }: { readonly found: StatisticsReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const duration = useDuration();
  const sum = total(found);
  const since = oldest(found);
  const time = (value: number | null) => (value === null ? "–" : duration(value));
  const facts = [
    ["pushed", format.count(sum.pushed)],
    ["delivered", format.count(sum.delivered)],
    ["failed", format.count(sum.failed)],
    ["median_milliseconds", time(sum.median_milliseconds)],
    ["p95_milliseconds", time(sum.p95_milliseconds)],
    ["oldest", since === undefined ? "–" : format.moment(since)],
  ] as const;
  return (
    <dl className={styles.totals}>
      {facts.map(([key, value]) => (
        <div key={key} className={styles.card}>
          <dt>{t(`overview.${key}`)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
