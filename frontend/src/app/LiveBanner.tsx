/** Says that live updates are away, unless the server is, which says it already. */
import { useTranslation } from "react-i18next";

import { reachability } from "../api/reachability";
import { live } from "../live/useLiveDrafts";
import { Banner } from "../ui/Banner";
import { useStore } from "./store";

export function LiveBanner() {
  const { t } = useTranslation();
  const here = useStore(reachability.store);
  const isLive = useStore(live);
  return here && !isLive ? <Banner tone="warning">{t("common.notLive")}</Banner> : null;
}
