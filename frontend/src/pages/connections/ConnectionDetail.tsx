/** One ERP connection: where it leads, how it fares, what can be done with it. */
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { Loading } from "../../ui/Loading";
import { ConnectionActions } from "./ConnectionActions";
import { ConnectionProblem } from "./ConnectionProblem";
import { Health } from "./Health";
import { secretLabel } from "./labels";
import { connectionQuery, connectorsQuery } from "./queries";
import { SettingFacts } from "./SettingFacts";
import { TERMS, allSettingsOf } from "./settings";
import { State } from "./State";
import { TestResult } from "./TestResult";
import styles from "./Connections.module.css";

const route = getRouteApi("/connections/$connectionId");

export function ConnectionDetail() {
  const { t } = useTranslation();
  const { connectionId } = route.useParams();
  const { data: connection, error } = useQuery(connectionQuery(connectionId));
  return (
    <section className="page">
      <Link to="/connections">{t("connections.back")}</Link>
      {error !== null && <ConnectionProblem error={error} />}
      {connection === undefined ? error === null && <Loading /> : <Found connection={connection} />}
    </section>
  );
}

function Found({ connection }: { readonly connection: ConnectionReply }) {
  const { t } = useTranslation();
  return (
    <>
      <title>{t("connections.titled", { name: connection.name })}</title>
      <header className={styles.top}>
        <h1>{connection.name}</h1>
        <p>
          <State status={connection.status} /> <code>{connection.connector_type}</code>
        </p>
      </header>
      <ConnectionActions connection={connection} />
      <div className={styles.columns}>
        <Settings connection={connection} />
        <div className={styles.column}>
          <section className={styles.card} aria-labelledby="health">
            <h2 id="health">{t("connections.health")}</h2>
            <p>
              <Health health={connection.health} />
            </p>
            {connection.health?.message != null && <p>{connection.health.message}</p>}
          </section>
          <section className={styles.card} aria-labelledby="last-test">
            <h2 id="last-test">{t("connections.lastTest")}</h2>
            {connection.last_test_result === null ? (
              <p className="muted">{t("connections.neverTested")}</p>
            ) : (
              <TestResult result={connection.last_test_result} at={connection.last_test_at} />
            )}
          </section>
        </div>
      </div>
    </>
  );
}

function Settings({ connection }: { readonly connection: ConnectionReply }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { data: connectors } = useQuery(connectorsQuery);
  const connector = connectors?.find((each) => each.connector_type === connection.connector_type);
  const changed = connection.updated_at;
  return (
    <div className={styles.column}>
      <section className={styles.card} aria-labelledby="settings">
        <h2 id="settings">{t("connections.settings")}</h2>
        <SettingFacts
          settings={connector === undefined ? [] : allSettingsOf(connector)}
          values={connection.config ?? {}}
        />
        <p className="muted">
          {t("connections.version", {
            version: connection.version,
            when: changed === null ? "" : format.moment(changed),
          })}
        </p>
      </section>
      {connection.secret_names.length > 0 && (
        <section className={styles.card} aria-labelledby="secrets">
          <h2 id="secrets">{t("connections.secrets")}</h2>
          <ul>
            {connection.secret_names.map((name) => (
              <li key={name}>{t("connections.isSet", { name: secretLabel(t, name) })}</li>
            ))}
          </ul>
        </section>
      )}
      <section className={styles.card} aria-labelledby="terms">
        <h2 id="terms">{t("connections.terms")}</h2>
        <SettingFacts settings={TERMS} values={connection.terms} />
      </section>
    </div>
  );
}
