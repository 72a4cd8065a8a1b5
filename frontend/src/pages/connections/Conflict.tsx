/** Says that someone else changed the connection while its form was open. */
import { useTranslation } from "react-i18next";

import type { ConnectorReply } from "../../api/schema";
import { Banner } from "../../ui/Banner";
import { nameLabel } from "./labels";

interface Props {
  /** Fields that they changed. */
  readonly names: readonly string[];
  readonly version: number | undefined;
  readonly connector: ConnectorReply;
}

export function Conflict({ names, version, connector }: Props) {
  const { t } = useTranslation();
  const what = names.map((name) => nameLabel(t, name, connector)).join(", ");
  return (
    <Banner tone="warning">
      {t("connections.conflict", { what: what === "" ? t("common.none") : what, version })}
    </Banner>
  );
}
