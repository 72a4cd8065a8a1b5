import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { DraftCountsReply, DraftStatus } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import styles from "./DraftList.module.css";
import { countsQuery } from "./queries";
import { type DraftSearch, STATUSES, changed, isLedByExports } from "./search";

/** One link per status, with how many drafts of it fit the other filters. */
export function StatusTabs({ search }: { readonly search: DraftSearch }) {
  const { t } = useTranslation();
  // Counts do not know the filters that exports lead: none is better than a wrong one.
  const counted = !isLedByExports(search);
  const { data } = useQuery({ ...countsQuery(search), enabled: counted });
  const counts = counted ? data : undefined;
  return (
    <nav aria-label={t("drafts.status")} className={styles.tabs}>
      <Tab search={search} status={undefined} label={t("drafts.all")} counts={counts} />
      {STATUSES.map((status) => (
        <Tab
          key={status}
          search={search}
          status={status}
          label={t(`common.status.${status}`)}
          counts={counts}
        />
      ))}
    </nav>
  );
}

interface TabProps {
  readonly search: DraftSearch;
  readonly status: DraftStatus | undefined;
  readonly label: string;
  readonly counts: DraftCountsReply | undefined;
}

function Tab({ search, status, label, counts }: TabProps) {
  const format = useFormat();
  const chosen = search.status === status;
  const fitting = counts?.counts.filter((each) => status === undefined || each.status === status);
  const count = fitting?.reduce((sum, each) => sum + each.count, 0);
  const more = fitting?.some((each) => each.more) === true ? "+" : "";
  return (
    <Link
      to="/drafts"
      search={changed(search, { status })}
      activeProps={{}}
      aria-current={chosen ? "page" : undefined}
      className={chosen ? `${styles.tab} ${styles.chosen}` : styles.tab}
    >
      {label}
      {count !== undefined && (
        <span className={styles.count}>
          {format.count(count)}
          {more}
        </span>
      )}
    </Link>
  );
}
