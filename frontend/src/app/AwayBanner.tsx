/** Says that the server is away, and asks whether it is back. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { reachability } from "../api/reachability";
import { Banner } from "../ui/Banner";
import { useStore } from "./store";

const ASK_AGAIN_MILLISECONDS = 2_000;

export function AwayBanner() {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const here = useStore(reachability.store);
  useEffect(() => {
    if (here) return;
    const timer = setInterval(() => {
      void isBack().then(async (back) => {
        if (!back) return;
        reachability.report(true);
        await queryClient.invalidateQueries();
      });
    }, ASK_AGAIN_MILLISECONDS);
    return () => {
      clearInterval(timer);
    };
  }, [here, queryClient]);
  return here ? null : <Banner tone="warning">{t("common.serverAway")}</Banner>;
}

async function isBack(): Promise<boolean> {
  try {
    return (await fetch("/readyz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
