/** Settings as they are stored; those that are not set say what holds instead. */
import { useTranslation } from "react-i18next";

import { HostKeys } from "./HostKeys";
import { choiceLabel, settingLabel } from "./labels";
import type { Setting } from "./settings";
import { type Config, unshown, writeValues } from "./values";
import styles from "./Connections.module.css";

interface Props {
  readonly settings: readonly Setting[];
  readonly values: Config;
}

export function SettingFacts({ settings, values }: Props) {
  const { t } = useTranslation();
  const others = unshown(settings, values);
  const set = settings.filter(({ key }) => key === "" || isSet(values[key]));
  if (set.length === 0 && Object.keys(others).length === 0) {
    return <p className="muted">{t("connections.installation")}</p>;
  }
  return (
    <dl className={styles.facts}>
      {set.map((setting) => (
        <div key={setting.key}>
          <dt>{settingLabel(t, setting)}</dt>
          <dd>
            <Value setting={setting} text={writeValues([setting], values)[setting.key] ?? ""} />
          </dd>
        </div>
      ))}
      {Object.entries(others).map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ setting, text }: { readonly setting: Setting; readonly text: string }) {
  const { t } = useTranslation();
  if (setting.key === "host_keys") {
    return (
      <>
        <HostKeys lines={text.split("\n")} />
        <details>
          <summary>{t("connections.wholeKeys")}</summary>
          <code className={styles.block}>{text}</code>
        </details>
      </>
    );
  }
  if (setting.kind === "choice") return choiceLabel(t, setting, text);
  if (setting.kind === "switch") return t(text === "true" ? "connections.yes" : "connections.no");
  return setting.kind === "text" || setting.kind === "number" || setting.kind === "whole" ? (
    text
  ) : (
    <code className={styles.block}>{text}</code>
  );
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
