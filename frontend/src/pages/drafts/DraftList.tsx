import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, body } from "../../api/client";
import type { DraftSummaryReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { StatusBadge } from "../../ui/StatusBadge";
import styles from "./DraftList.module.css";
import { type DraftSearch, STATUSES, firstPage } from "./search";

const route = getRouteApi("/drafts");
const PAGE_SIZE = 100;

const page = (search: DraftSearch) =>
  queryOptions({
    queryKey: ["drafts", "page", search],
    queryFn: ({ signal }) =>
      body(
        api.GET("/draft-orders", {
          signal,
          params: {
            query: {
              page_size: PAGE_SIZE,
              ...(search.status === undefined ? {} : { status: [search.status] }),
              ...(search.page === undefined ? {} : { page_token: search.page }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });

export function DraftList() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const { data, error } = useQuery(page(search));
  return (
    <section className="page">
      <h1>{t("drafts.title")}</h1>
      <nav aria-label={t("drafts.status")} className={styles.tabs}>
        <Link to="/drafts" search={{}} activeOptions={{ exact: true }}>
          {t("drafts.all")}
        </Link>
        {STATUSES.map((status) => (
          <Link key={status} to="/drafts" search={{ status }}>
            {t(`common.status.${status}`)}
          </Link>
        ))}
      </nav>
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? error === null && <Loading /> : <Table rows={data.drafts} />}
      <div className={styles.pages}>
        {search.page !== undefined && (
          <Link from="/drafts" search={firstPage(search)}>
            {t("drafts.firstPage")}
          </Link>
        )}
        {data?.next_page_token != null && (
          <Link from="/drafts" search={(old) => ({ ...old, page: data.next_page_token ?? "" })}>
            {t("drafts.nextPage")}
          </Link>
        )}
      </div>
    </section>
  );
}

function Table({ rows }: { readonly rows: readonly DraftSummaryReply[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (rows.length === 0) return <p>{t("drafts.empty")}</p>;
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">{t("drafts.table")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("drafts.reference")}</th>
          <th scope="col">{t("drafts.customer")}</th>
          <th scope="col">{t("drafts.status")}</th>
          <th scope="col" className="number">
            {t("drafts.value")}
          </th>
          <th scope="col">{t("drafts.updated")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <th scope="row">
              <Link to="/drafts/$draftId" params={{ draftId: row.id }}>
                {row.external_ref}
              </Link>
            </th>
            <td>{row.customer_name ?? row.erp_customer_number}</td>
            <td>
              <StatusBadge status={row.status} />
            </td>
            <td className="number">
              {row.total_value !== null && format.money(row.total_value, row.currency)}
            </td>
            <td>{row.updated_at !== null && format.moment(row.updated_at)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
