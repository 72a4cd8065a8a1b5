/** What settings, secrets and steps are called. */
import type { TFunction } from "i18next";

import type { ConnectorReply } from "../../api/schema";
import { lookup } from "../../i18n/lookup";
import { type Setting, TERMS, allSettingsOf } from "./settings";

export function settingLabel(t: TFunction, setting: Setting): string {
  if (setting.key === "") return t("connections.settings");
  return setting.title ?? lookup(t, `connections.setting.${setting.key}`, setting.key);
}

/** A sentence on the setting; "" when there is none. */
export function settingHelp(t: TFunction, setting: Setting): string {
  if (setting.key === "") return t("connections.asJson");
  return setting.help ?? lookup(t, `connections.help.${setting.key}`, "");
}

export function choiceLabel(t: TFunction, setting: Setting, choice: string): string {
  return lookup(t, `connections.choice.${setting.key}.${choice}`, choice);
}

export function secretLabel(t: TFunction, name: string): string {
  return lookup(t, `connections.secret.${name}`, name);
}

export function stepLabel(t: TFunction, name: string): string {
  return lookup(t, `connections.step.${name}`, name);
}

export function failureLabel(t: TFunction, code: string): string {
  return lookup(t, `connections.failure.${code}`, lookup(t, `exports.error.${code}`, code));
}

/** The label of a form's field by the field's name, as `config.port`. */
export function nameLabel(t: TFunction, name: string, connector: ConnectorReply): string {
  const key = name.slice(name.indexOf(".") + 1);
  const setting = [...allSettingsOf(connector), ...TERMS].find((each) => each.key === key);
  if (setting !== undefined) return settingLabel(t, setting);
  return lookup(t, `connections.${name}`, name);
}
