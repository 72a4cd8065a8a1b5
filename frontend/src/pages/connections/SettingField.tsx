/** The field of one setting, as its kind wants it. */
import {
  FieldError,
  Label,
  RadioButton,
  RadioField,
  RadioGroup,
  SwitchButton,
  SwitchField,
  Text,
} from "react-aria-components";
import { useTranslation } from "react-i18next";

import { HostKeys } from "./HostKeys";
import { choiceLabel, settingHelp, settingLabel } from "./labels";
import type { Setting } from "./settings";
import { TextEntry } from "./TextEntry";
import styles from "./Connections.module.css";

interface Props {
  readonly name: string;
  readonly setting: Setting;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const ROWS: Partial<Record<Setting["kind"], number>> = { area: 4, lines: 3, pairs: 3, json: 6 };

export function SettingField(props: Props) {
  if (props.setting.kind === "switch") return <Toggle {...props} />;
  if (props.setting.kind === "choice") return <Choose {...props} />;
  return <Write {...props} />;
}

function Write({ name, setting, value, onChange }: Props) {
  const { t } = useTranslation();
  const rows = ROWS[setting.kind];
  const fallback = setting.fallback;
  const help = [
    settingHelp(t, setting),
    fallback === undefined ? "" : t("connections.fallback", { value: fallback }),
  ];
  return (
    <div className={rows === undefined ? undefined : styles.wide}>
      <TextEntry
        name={name}
        label={settingLabel(t, setting)}
        value={value}
        onChange={onChange}
        required={setting.required === true}
        help={help.filter((each) => each !== "").join(" ")}
        numeric={setting.kind === "number" || setting.kind === "whole"}
        {...(rows === undefined ? {} : { rows })}
      />
      {setting.key === "host_keys" && <HostKeys lines={value.split("\n")} />}
    </div>
  );
}

function Choose({ name, setting, value, onChange }: Props) {
  const { t } = useTranslation();
  const help = settingHelp(t, setting);
  return (
    <RadioGroup
      name={name}
      value={value}
      onChange={onChange}
      isRequired={setting.required === true}
      className={`react-aria-RadioGroup ${styles.wide ?? ""}`}
    >
      <Label>{settingLabel(t, setting)}</Label>
      {(setting.choices ?? []).map((choice) => (
        <RadioField key={choice} value={choice}>
          <RadioButton>{choiceLabel(t, setting, choice)}</RadioButton>
        </RadioField>
      ))}
      {help !== "" && (
        <Text slot="description" className="muted">
          {help}
        </Text>
      )}
      <FieldError />
    </RadioGroup>
  );
}

function Toggle({ name, setting, value, onChange }: Props) {
  const { t } = useTranslation();
  const help = settingHelp(t, setting);
  return (
    <SwitchField
      name={name}
      isSelected={value === "true"}
      onChange={(on) => {
        onChange(String(on));
      }}
      className={`react-aria-SwitchField ${styles.wide ?? ""}`}
    >
      <SwitchButton>
        <span className="indicator" />
        {settingLabel(t, setting)}
      </SwitchButton>
      {help !== "" && (
        <Text slot="description" className="muted">
          {help}
        </Text>
      )}
      <FieldError />
    </SwitchField>
  );
}
