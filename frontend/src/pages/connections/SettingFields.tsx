/** The fields of a group of settings; those that are seldom needed are shown on demand. */
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { fieldName } from "./entries";
import { SettingField } from "./SettingField";
import type { Setting } from "./settings";
import type { Values } from "./values";
import styles from "./Connections.module.css";

interface Props {
  readonly group: "config" | "terms";
  readonly settings: readonly Setting[];
  readonly values: Values;
  /** By field's name; opens what hides one. */
  readonly errors: Readonly<Record<string, string>>;
  readonly onChange: (values: Values) => void;
}

export function SettingFields({ group, settings, values, errors, onChange }: Props) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const field = (setting: Setting) => (
    <SettingField
      key={setting.key}
      name={fieldName(group, setting.key)}
      setting={setting}
      value={values[setting.key] ?? ""}
      onChange={(value) => {
        onChange({ ...values, [setting.key]: value });
      }}
    />
  );
  const hidden = settings.filter((each) => each.more === true);
  const isWrong = hidden.some(({ key }) => errors[fieldName(group, key)] !== undefined);
  return (
    <>
      <div className={styles.fields}>
        {settings.filter((each) => each.more !== true).map(field)}
      </div>
      {hidden.length > 0 && (
        <details
          open={isOpen || isWrong}
          onToggle={(event) => {
            setOpen(event.currentTarget.open);
          }}
        >
          <summary>{t("connections.more")}</summary>
          <div className={styles.fields}>{hidden.map(field)}</div>
        </details>
      )}
    </>
  );
}
