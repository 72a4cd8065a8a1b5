/** All ERP connections of the org. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import { useMay } from "../../auth/permissions";
import { useFormat } from "../../i18n/format";
import { lookup } from "../../i18n/lookup";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { Health } from "./Health";
import { failureLabel } from "./labels";
import { connectionsQuery } from "./queries";
import { State } from "./State";
import styles from "./Connections.module.css";

export function ConnectionList() {
  const { t } = useTranslation();
  const may = useMay();
  const { data, error } = useQuery(connectionsQuery);
  return (
    <section className="page">
      <title>{t("connections.title")}</title>
      <header className={styles.actions}>
        <h1>{t("connections.title")}</h1>
        {may("changeConnections") && (
          <Link to="/connections/new" className={`react-aria-Button primary ${styles.link ?? ""}`}>
            {t("connections.new")}
          </Link>
        )}
      </header>
      {error !== null && <ProblemNotice error={error} />}
      {data === undefined ? error === null && <Loading /> : <Table rows={inOrder(data)} />}
    </section>
  );
}

/** Those that are switched off last. */
function inOrder(connections: readonly ConnectionReply[]): readonly ConnectionReply[] {
  const isOff = (each: ConnectionReply) => Number(each.status === "DISABLED");
  return connections.toSorted((one, other) => isOff(one) - isOff(other));
}

function Table({ rows }: { readonly rows: readonly ConnectionReply[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (rows.length === 0) return <p>{t("connections.empty")}</p>;
  return (
    // Wider than a phone: scrolled by itself, by keyboard as well.
    <div className={styles.frame} role="region" aria-label={t("connections.title")} tabIndex={0}>
      <table className={styles.table}>
        <caption className="visually-hidden">{t("connections.title")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("connections.name")}</th>
            <th scope="col">{t("connections.connector")}</th>
            <th scope="col">{t("connections.state")}</th>
            <th scope="col">{t("connections.health")}</th>
            <th scope="col">{t("connections.lastTest")}</th>
            <th scope="col">{t("connections.changed")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row">
                <Link to="/connections/$connectionId" params={{ connectionId: row.id }}>
                  {row.name}
                </Link>
              </th>
              <td>
                {lookup(t, `connections.type.${row.connector_type}`, row.connector_type)}
                <small className={styles.why}>{target(row)}</small>
              </td>
              <td>
                <State status={row.status} />
              </td>
              <td>
                <Health health={row.health} />
              </td>
              <td>
                <Tested connection={row} />
              </td>
              <td>{row.updated_at !== null && format.moment(row.updated_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Tested({ connection }: { readonly connection: ConnectionReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const result = connection.last_test_result;
  if (result === null) return <span className="muted">{t("connections.neverTested")}</span>;
  return (
    <>
      <span className={`status ${(result.ok ? styles.good : styles.bad) ?? ""}`}>
        {t(result.ok ? "connections.passed" : "connections.notPassed")}
      </span>
      <small className={styles.why}>
        {result.failure !== null && `${failureLabel(t, result.failure)}, `}
        {connection.last_test_at !== null && format.moment(connection.last_test_at)}
      </small>
    </>
  );
}

/** Where it leads: a url, or host and folder. */
function target({ config }: ConnectionReply): string {
  const texts = [config?.url, config?.host, config?.export_path];
  return texts.filter((each) => typeof each === "string").join(" ");
}
