/** Makes a connection, or changes one. */
import { useNavigate } from "@tanstack/react-router";
import { type SyntheticEvent, useEffect, useRef } from "react";
import { Form, SwitchButton, SwitchField } from "react-aria-components";
import { useTranslation } from "react-i18next";

import type { ConnectionReply, ConnectorReply } from "../../api/schema";
import { Button } from "../../ui/Button";
import { Conflict } from "./Conflict";
import { ConnectionProblem } from "./ConnectionProblem";
import { SecretFields } from "./SecretFields";
import { SettingFields } from "./SettingFields";
import { TERMS, settingsOf } from "./settings";
import { TextEntry } from "./TextEntry";
import { useConnectionForm } from "./useConnectionForm";
import styles from "./Connections.module.css";

interface Props {
  readonly connector: ConnectorReply;
  readonly connection?: ConnectionReply;
}

export function ConnectionForm({ connector, connection }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const go = (saved: ConnectionReply) => {
    void navigate({ to: "/connections/$connectionId", params: { connectionId: saved.id } });
  };
  const state = useConnectionForm({ connector, connection, onSaved: go });
  const { entries, set, errors, refusals, saving } = state;
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [refusals]);
  return (
    <Form
      ref={form}
      className={styles.form ?? ""}
      validationErrors={errors}
      validationBehavior="aria"
      autoComplete="off"
      onSubmit={(event: SyntheticEvent) => {
        event.preventDefault();
        if (!saving.isPending) state.submit();
      }}
    >
      {saving.error !== null && <ConnectionProblem error={saving.error} others={state.others} />}
      {state.conflict !== undefined && (
        <Conflict names={state.conflict} version={state.seen?.version} connector={connector} />
      )}
      <section className={styles.card} aria-label={t("connections.settings")}>
        <TextEntry
          name="name"
          label={t("connections.name")}
          value={entries.name}
          required
          onChange={(name) => {
            set({ name });
          }}
        />
        <SettingFields
          group="config"
          settings={settingsOf(connector, entries.config)}
          values={entries.config}
          errors={errors}
          onChange={(config) => {
            set({ config });
          }}
        />
      </section>
      <SecretFields
        connector={connector}
        stored={connection?.secret_names ?? []}
        entries={entries}
        onChange={set}
      />
      <section className={styles.card} aria-labelledby="terms">
        <h2 id="terms">{t("connections.terms")}</h2>
        <p className="muted">{t("connections.termsHint")}</p>
        <SettingFields
          group="terms"
          settings={TERMS}
          values={entries.terms}
          errors={errors}
          onChange={(terms) => {
            set({ terms });
          }}
        />
      </section>
      <div className={styles.actions}>
        <SwitchField
          isSelected={entries.testFirst}
          onChange={(testFirst) => {
            set({ testFirst });
          }}
        >
          <SwitchButton>
            <span className="indicator" />
            {t("connections.testFirst")}
          </SwitchButton>
        </SwitchField>
        <Button type="submit" variant="primary">
          {t(saving.isPending ? "connections.saving" : "connections.save")}
        </Button>
      </div>
    </Form>
  );
}
