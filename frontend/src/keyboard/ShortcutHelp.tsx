/** Lists what can be pressed on this page, and switches single-key shortcuts on and off. */
import { useState } from "react";
import { SwitchButton, SwitchField } from "react-aria-components";
import { useTranslation } from "react-i18next";

import { useStore } from "../app/store";
import { Dialog } from "../ui/Dialog";
import { offeredShortcuts, shortcutsOn, switchShortcuts } from "./shortcuts";

export default function ShortcutHelp({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation();
  const on = useStore(shortcutsOn);
  const [offered] = useState(offeredShortcuts);
  return (
    <Dialog title={t("keyboard.title")} onClose={onClose}>
      <SwitchField isSelected={on} onChange={switchShortcuts}>
        <SwitchButton>
          <span className="indicator" />
          {t("keyboard.enabled")}
        </SwitchButton>
      </SwitchField>
      <dl className="shortcuts">
        {offered.map((each) => (
          <div key={each.key}>
            <dt>
              <kbd>{each.key}</kbd>
            </dt>
            <dd>{each.label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
