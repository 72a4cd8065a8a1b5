/** Secrets: written, never read back. One that is set can be replaced or removed. */
import { SwitchButton, SwitchField } from "react-aria-components";
import { useTranslation } from "react-i18next";

import type { ConnectorReply } from "../../api/schema";
import { type Entries, fieldName } from "./entries";
import { secretLabel } from "./labels";
import { secretsOf } from "./settings";
import { TextEntry } from "./TextEntry";
import styles from "./Connections.module.css";

interface Props {
  readonly connector: ConnectorReply;
  /** Names of those that are set. */
  readonly stored: readonly string[];
  readonly entries: Entries;
  readonly onChange: (part: Partial<Entries>) => void;
}

const KEY_ROWS = 4;

export function SecretFields({ connector, stored, entries, onChange }: Props) {
  const { t } = useTranslation();
  const names = [...new Set([...secretsOf(connector, entries.config), ...stored])];
  if (names.length === 0) return null;
  return (
    <section className={styles.card} aria-labelledby="secrets">
      <h2 id="secrets">{t("connections.secrets")}</h2>
      <p className="muted">{t("connections.secretsHint")}</p>
      {names.map((name) => (
        <Secret
          key={name}
          name={name}
          isStored={stored.includes(name)}
          entries={entries}
          onChange={onChange}
        />
      ))}
    </section>
  );
}

interface SecretProps {
  readonly name: string;
  readonly isStored: boolean;
  readonly entries: Entries;
  readonly onChange: (part: Partial<Entries>) => void;
}

function Secret({ name, isStored, entries, onChange }: SecretProps) {
  const { t } = useTranslation();
  const isRemoved = entries.removed.includes(name);
  const others = entries.removed.filter((each) => each !== name);
  return (
    <div className={styles.secret}>
      {!isRemoved && (
        <TextEntry
          name={fieldName("secrets", name)}
          label={secretLabel(t, name)}
          value={entries.secrets[name] ?? ""}
          help={isStored ? t("connections.secretSet") : ""}
          secret
          {...(name.endsWith("_key") ? { rows: KEY_ROWS } : {})}
          onChange={(value) => {
            onChange({ secrets: { ...entries.secrets, [name]: value } });
          }}
        />
      )}
      {isStored && (
        <SwitchField
          isSelected={isRemoved}
          onChange={(on) => {
            onChange({
              removed: on ? [...others, name] : others,
              secrets: { ...entries.secrets, [name]: "" },
            });
          }}
        >
          <SwitchButton>
            <span className="indicator" />
            {t("connections.removeSecret", { name: secretLabel(t, name) })}
          </SwitchButton>
        </SwitchField>
      )}
    </div>
  );
}
