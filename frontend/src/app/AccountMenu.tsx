/** Who is signed in, appearance, language, sign-out. */
import {
  Header,
  Menu,
  MenuItem,
  MenuSection,
  MenuTrigger,
  Popover,
  type Selection,
} from "react-aria-components";
import { useTranslation } from "react-i18next";

import { session } from "../auth/session";
import { useSignOut } from "../auth/SignInGate";
import { LANGUAGES, changeLanguage } from "../i18n/i18n";
import { THEMES, changeTheme, theme } from "../theme/theme";
import { Button } from "../ui/Button";
import { useStore } from "./store";

export default function AccountMenu() {
  const { t, i18n } = useTranslation();
  const identity = useStore(session.identity);
  const chosenTheme = useStore(theme);
  const signOut = useSignOut();
  if (identity === undefined) return null;
  const who = { subject: identity.subject, org: identity.orgSlug ?? identity.orgId };
  return (
    <MenuTrigger>
      <Button variant="quiet" aria-label={`${t("common.account")}: ${t("common.signedInAs", who)}`}>
        {t("common.signedInAs", who)}
      </Button>
      <Popover placement="bottom end">
        <Menu>
          <MenuSection
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[chosenTheme]}
            onSelectionChange={(keys) => {
              const next = THEMES.find((each) => each === only(keys));
              if (next !== undefined) changeTheme(next);
            }}
          >
            <Header>{t("common.appearance")}</Header>
            {THEMES.map((each) => (
              <MenuItem key={each} id={each}>
                {t(`common.theme.${each}`)}
              </MenuItem>
            ))}
          </MenuSection>
          <MenuSection
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[i18n.language]}
            onSelectionChange={(keys) => {
              const next = LANGUAGES.find((each) => each === only(keys));
              if (next !== undefined) void changeLanguage(next);
            }}
          >
            <Header>{t("common.language")}</Header>
            {LANGUAGES.map((each) => (
              <MenuItem key={each} id={each}>
                {t(`common.languages.${each}`)}
              </MenuItem>
            ))}
          </MenuSection>
          <MenuSection>
            <Header>{t("common.roles", { roles: identity.roles.join(", ") })}</Header>
            <MenuItem id="sign-out" onAction={signOut}>
              {t("common.signOut")}
            </MenuItem>
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function only(keys: Selection): unknown {
  return keys === "all" ? undefined : [...keys][0];
}
