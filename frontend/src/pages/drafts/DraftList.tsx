/** The list of draft orders: find them, select them, approve and push many at once. */
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { Suspense, lazy, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "../../auth/permissions";
import { useShortcuts } from "../../keyboard/shortcuts";
import { Banner } from "../../ui/Banner";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { useNow } from "../../ui/useNow";
import { DraftTable } from "./DraftTable";
import styles from "./DraftList.module.css";
import type { Act } from "./eligibility";
import { Filters } from "./Filters";
import { pageQuery } from "./queries";
import { type DraftSearch, changed } from "./search";
import { type Selection, useSelection } from "./selection";
import { SelectionBar } from "./SelectionBar";
import { StatusTabs } from "./StatusTabs";

const BulkDialog = lazy(() => import("./BulkDialog"));
const route = getRouteApi("/drafts");

export function DraftList() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const { data, error, isPlaceholderData } = useQuery(pageQuery(search));
  const acts = useActs();
  const selection = useSelection(search);
  const [act, setAct] = useState<Act>();
  const searchInput = useRef<HTMLInputElement>(null);
  const now = useNow();
  useShortcuts([
    { key: "/", label: t("keyboard.search"), run: () => searchInput.current?.focus() },
    ...acts.map((each) => ({
      key: each === "approve" ? "a" : "p",
      label: t(`drafts.act.${each}`),
      enabled: selection.rows.size > 0,
      run: () => {
        setAct(each);
      },
    })),
  ]);
  return (
    <section className={`page ${styles.page}`}>
      <h1>{t("drafts.title")}</h1>
      <StatusTabs search={search} />
      <Filters search={search} searchInput={searchInput} />
      {error !== null && <ProblemNotice error={error} />}
      {data?.degraded.includes("exports") === true && (
        <Banner tone="warning">{t("drafts.withoutExports")}</Banner>
      )}
      {acts.length > 0 && data !== undefined && (
        <SelectionBar
          acts={acts}
          selection={selection}
          search={search}
          page={data}
          onAct={setAct}
        />
      )}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <div className={styles.body} aria-busy={isPlaceholderData}>
          {data.drafts.length === 0 ? (
            <p>{t("drafts.empty")}</p>
          ) : (
            <DraftTable
              key={JSON.stringify(search)}
              rows={data.drafts}
              search={search}
              selection={acts.length > 0 ? selection : undefined}
              now={now}
            />
          )}
          <Pages search={search} next={data.next_page_token} />
        </div>
      )}
      {act !== undefined && (
        <Bulk
          act={act}
          selection={selection}
          onClose={() => {
            setAct(undefined);
          }}
        />
      )}
    </section>
  );
}

/** What the person may do with many drafts. */
function useActs(): readonly Act[] {
  const may = useMay();
  return (["approve", "push"] as const).filter((act) => may(act));
}

function Pages({ search, next }: { readonly search: DraftSearch; readonly next: string | null }) {
  const { t } = useTranslation();
  if (search.page === undefined && next === null) return null;
  return (
    <nav aria-label={t("drafts.pages")} className={styles.pages}>
      {search.page !== undefined && (
        <Link to="/drafts" search={changed(search, {})}>
          {t("drafts.firstPage")}
        </Link>
      )}
      {next !== null && (
        <Link to="/drafts" search={{ ...search, page: next }}>
          {t("drafts.nextPage")}
        </Link>
      )}
    </nav>
  );
}

interface BulkProps {
  readonly act: Act;
  readonly selection: Selection;
  readonly onClose: () => void;
}

function Bulk({ act, selection, onClose }: BulkProps) {
  // What was selected when the dialog opened: live updates must not change what is confirmed.
  const [rows] = useState(() => [...selection.rows.values()]);
  return (
    <Suspense>
      <BulkDialog act={act} rows={rows} onClose={onClose} onDone={selection.clear} />
    </Suspense>
  );
}
