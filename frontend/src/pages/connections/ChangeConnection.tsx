/** The form of a connection that exists. */
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useMay } from "../../auth/permissions";
import { Banner } from "../../ui/Banner";
import { Loading } from "../../ui/Loading";
import { ConnectionForm } from "./ConnectionForm";
import { ConnectionProblem } from "./ConnectionProblem";
import { connectionQuery, connectorsQuery } from "./queries";

const route = getRouteApi("/connections/$connectionId/change");

export function ChangeConnection() {
  const { t } = useTranslation();
  const may = useMay();
  const { connectionId } = route.useParams();
  const connection = useQuery(connectionQuery(connectionId));
  const connectors = useQuery(connectorsQuery);
  const error = connection.error ?? connectors.error;
  const found = connection.data;
  const type = found?.connector_type;
  const connector = connectors.data?.find((each) => each.connector_type === type);
  const isMissing = connectors.isSuccess && found !== undefined && connector === undefined;
  return (
    <section className="page">
      <Link to="/connections/$connectionId" params={{ connectionId }}>
        {t("connections.backToOne")}
      </Link>
      <h1>{t("connections.changeTitle", { name: found?.name ?? "" })}</h1>
      {!may("changeConnections") && <Banner tone="warning">{t("connections.mayNot")}</Banner>}
      {error !== null && <ConnectionProblem error={error} />}
      {error === null && (found === undefined || connectors.isPending) && <Loading />}
      {isMissing && <Banner tone="warning">{t("connections.noConnector", { type })}</Banner>}
      {may("changeConnections") && found !== undefined && connector !== undefined && (
        <ConnectionForm key={found.id} connector={connector} connection={found} />
      )}
    </section>
  );
}
