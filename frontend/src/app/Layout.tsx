/** What stands around every page: navigation, banners, the person's menu, the shortcuts' help. */
import { Link, Outlet } from "@tanstack/react-router";
import { Suspense, lazy, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { listenForShortcuts, useShortcuts } from "../keyboard/shortcuts";
import { Button } from "../ui/Button";
import { useLiveDrafts } from "../live/useLiveDrafts";
import { Announcements } from "../ui/Announcements";
import { AwayBanner } from "./AwayBanner";
import { LiveBanner } from "./LiveBanner";
import styles from "./Layout.module.css";

const AccountMenu = lazy(() => import("./AccountMenu"));
const ShortcutHelp = lazy(() => import("../keyboard/ShortcutHelp"));

export function Layout() {
  const { t } = useTranslation();
  const [helpOpen, setHelpOpen] = useState(false);
  useEffect(listenForShortcuts, []);
  useLiveDrafts();
  useShortcuts([
    {
      key: "?",
      label: t("keyboard.help"),
      run: () => {
        setHelpOpen(true);
      },
    },
  ]);
  return (
    <>
      <a className={styles.skip} href="#content">
        {t("common.skipToContent")}
      </a>
      <header className={styles.header}>
        <span className={styles.product}>{t("common.product")}</span>
        <nav aria-label={t("common.navigation")} className={styles.navigation}>
          <Link to="/drafts">{t("common.drafts")}</Link>
          <Link to="/connections">{t("common.connections")}</Link>
          <Link to="/overview">{t("common.overview")}</Link>
        </nav>
        <Button
          variant="quiet"
          aria-label={t("keyboard.open")}
          onPress={() => {
            setHelpOpen(true);
          }}
        >
          <kbd>?</kbd>
        </Button>
        <Suspense>
          <AccountMenu />
        </Suspense>
      </header>
      <AwayBanner />
      <LiveBanner />
      <Announcements />
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
      {helpOpen && (
        <Suspense>
          <ShortcutHelp
            onClose={() => {
              setHelpOpen(false);
            }}
          />
        </Suspense>
      )}
    </>
  );
}
