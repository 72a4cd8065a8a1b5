/** A new ERP connection: first its connector, then its settings. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Label, RadioButton, RadioField, RadioGroup } from "react-aria-components";
import { useTranslation } from "react-i18next";

import type { ConnectorReply } from "../../api/schema";
import { useMay } from "../../auth/permissions";
import { lookup } from "../../i18n/lookup";
import { Banner } from "../../ui/Banner";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { ConnectionForm } from "./ConnectionForm";
import { connectorsQuery } from "./queries";
import { DROPZONE } from "./settings";
import styles from "./Connections.module.css";

export function NewConnection() {
  const { t } = useTranslation();
  const may = useMay();
  const { data: connectors, error } = useQuery(connectorsQuery);
  const isAllowed = may("changeConnections");
  return (
    <section className="page">
      <title>{t("connections.new")}</title>
      <Link to="/connections">{t("connections.back")}</Link>
      <h1>{t("connections.new")}</h1>
      {!isAllowed && <Banner tone="warning">{t("connections.mayNot")}</Banner>}
      {error !== null && <ProblemNotice error={error} />}
      {connectors === undefined && error === null && <Loading />}
      {isAllowed && connectors !== undefined && <Choose connectors={connectors} />}
    </section>
  );
}

function Choose({ connectors }: { readonly connectors: readonly ConnectorReply[] }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState(DROPZONE);
  const connector = connectors.find((each) => each.connector_type === chosen);
  return (
    <>
      <RadioGroup value={chosen} onChange={setChosen} className={styles.card ?? ""}>
        <Label>{t("connections.connector")}</Label>
        {connectors.map(({ connector_type: type, title }) => (
          <RadioField key={type} value={type}>
            <RadioButton>
              {lookup(t, `connections.type.${type}`, title ?? type)} <code>{type}</code>
            </RadioButton>
          </RadioField>
        ))}
      </RadioGroup>
      {connector !== undefined && <ConnectionForm key={chosen} connector={connector} />}
    </>
  );
}
