/** What a person entered, and what of it goes to the server. Pure. */
import type {
  ConnectionReply,
  ConnectorReply,
  CreateConnectionBody,
  UpdateConnectionBody,
} from "../../api/schema";
import { TERMS, allSettingsOf, settingsOf } from "./settings";
import { type Config, type Flaw, type Values, readValues, unshown, writeValues } from "./values";

export interface Entries {
  readonly name: string;
  readonly config: Values;
  readonly terms: Values;
  /** New values; "" leaves a secret as it is. They go to the server and never come back. */
  readonly secrets: Values;
  /** Names of secrets to remove. */
  readonly removed: readonly string[];
  readonly testFirst: boolean;
}

/** The form's first state: what is stored, or nothing. */
export function entriesOf(connector: ConnectorReply, connection?: ConnectionReply): Entries {
  return {
    name: connection?.name ?? "",
    config: writeValues(allSettingsOf(connector), connection?.config ?? {}),
    terms: writeValues(TERMS, connection?.terms ?? {}),
    secrets: {},
    removed: [],
    testFirst: true,
  };
}

/** What is wrong with the entries, by the name of the field. */
export function flawsOf(connector: ConnectorReply, entries: Entries): Record<string, Flaw> {
  const flaws: Record<string, Flaw> = {};
  if (entries.name.trim() === "") flaws.name = "required";
  const config = readValues(settingsOf(connector, entries.config), entries.config).flaws;
  for (const [key, flaw] of Object.entries(config)) flaws[fieldName("config", key)] = flaw;
  const terms = readValues(TERMS, entries.terms).flaws;
  for (const [key, flaw] of Object.entries(terms)) flaws[fieldName("terms", key)] = flaw;
  return flaws;
}

/** A field's name in the form: its path in the request's body. */
export function fieldName(group: "config" | "terms" | "secrets", key: string): string {
  return key === "" ? group : `${group}.${key}`;
}

export function creation(connector: ConnectorReply, entries: Entries): CreateConnectionBody {
  return {
    name: entries.name.trim(),
    connector_type: connector.connector_type,
    config: configOf(connector, entries),
    secrets: given(entries.secrets),
    terms: readValues(TERMS, entries.terms).config,
    test_on_save: entries.testFirst,
  };
}

/** Only what differs from what the form began with; undefined when nothing does. */
export function changes(
  connector: ConnectorReply,
  connection: ConnectionReply,
  entries: Entries,
): UpdateConnectionBody | undefined {
  const before = entriesOf(connector, connection);
  const secrets = {
    ...given(entries.secrets),
    ...Object.fromEntries(entries.removed.map((name) => [name, null])),
  };
  const changed = {
    ...(entries.name.trim() === before.name ? {} : { name: entries.name.trim() }),
    ...(same(entries.config, before.config)
      ? {}
      : { config: configOf(connector, entries, connection.config ?? {}) }),
    ...(same(entries.terms, before.terms)
      ? {}
      : { terms: readValues(TERMS, entries.terms).config }),
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
  };
  const nothing = Object.keys(changed).length === 0;
  return nothing ? undefined : { ...changed, test_on_save: entries.testFirst };
}

/** Names of fields that differ between two versions of a connection. */
export function differences(
  connector: ConnectorReply,
  one: ConnectionReply,
  other: ConnectionReply,
): string[] {
  const [a, b] = [entriesOf(connector, one), entriesOf(connector, other)];
  const flat = [
    ...(one.status === other.status ? [] : ["status"]),
    ...(same(one.secret_names, other.secret_names) ? [] : ["secrets"]),
  ];
  return [...flat, ...editedFields(a, b)];
}

/** Names of fields whose text differs. */
export function editedFields(one: Entries, other: Entries): string[] {
  const inGroup = (group: "config" | "terms" | "secrets") =>
    Object.keys({ ...one[group], ...other[group] })
      .filter((key) => (one[group][key] ?? "") !== (other[group][key] ?? ""))
      .map((key) => fieldName(group, key));
  const name = one.name === other.name ? [] : ["name"];
  return [...name, ...inGroup("config"), ...inGroup("terms"), ...inGroup("secrets")];
}

function configOf(connector: ConnectorReply, entries: Entries, stored: Config = {}): Config {
  return {
    ...unshown(allSettingsOf(connector), stored),
    ...readValues(settingsOf(connector, entries.config), entries.config).config,
  };
}

function given(secrets: Values): Values {
  return Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== ""));
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
