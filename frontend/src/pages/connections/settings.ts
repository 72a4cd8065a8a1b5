/** What a connection can be set to: one entry per field of its form. */
import type { ConnectorReply } from "../../api/schema";
import { schemaSettings } from "./schemaSettings";
import type { Values } from "./values";

/**
 * How a setting is typed in, and what it is in JSON:
 *
 *     text, area, choice   string
 *     number, whole        number
 *     switch               boolean
 *     lines                list of strings, one a line
 *     numbers              list of whole numbers
 *     pairs                object of strings, "Name: value" a line
 *     json                 anything
 */
export type Kind =
  | "text"
  | "area"
  | "choice"
  | "number"
  | "whole"
  | "switch"
  | "lines"
  | "numbers"
  | "pairs"
  | "json";

export interface Setting {
  /** Its member of the settings; "" stands for the settings as a whole. */
  readonly key: string;
  readonly kind: Kind;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** What holds when it is left out, as a person would type it. */
  readonly fallback?: string;
  /** Seldom needed: shown on demand. */
  readonly more?: boolean;
  /** A plug-in's own words, in its own language. */
  readonly title?: string;
  readonly help?: string;
}

export const DROPZONE = "DROPZONE_JSON_V1";
export const HTTP = "HTTP_JSON_V1";
export const TRANSPORTS = ["folder", "sftp"] as const;

const SFTP: readonly Setting[] = [
  { key: "host", kind: "text", required: true },
  { key: "port", kind: "whole", fallback: "22" },
  { key: "username", kind: "text", required: true },
  { key: "host_keys", kind: "lines", required: true },
];
const PLACES: readonly Setting[] = [
  { key: "export_path", kind: "text", required: true },
  { key: "ack_path", kind: "text" },
  { key: "ack_mode", kind: "choice", choices: ["json", "presence", "none"], fallback: "json" },
  { key: "done_file", kind: "text" },
  { key: "temporary_path", kind: "text", more: true },
  { key: "temporary_suffix", kind: "text", fallback: "tmp", more: true },
  { key: "file_permissions", kind: "text", fallback: "0644", more: true },
  { key: "folder_permissions", kind: "text", fallback: "0755", more: true },
];
const SFTP_TIMES: readonly Setting[] = [
  { key: "connect_timeout_seconds", kind: "number", fallback: "10", more: true },
  { key: "transfer_timeout_seconds", kind: "number", fallback: "60", more: true },
  { key: "keepalive_seconds", kind: "number", fallback: "15", more: true },
];
const TRANSPORT: Setting = {
  key: "transport",
  kind: "choice",
  required: true,
  choices: TRANSPORTS,
  fallback: "folder",
};
const HTTP_SETTINGS: readonly Setting[] = [
  { key: "url", kind: "text", required: true },
  { key: "timeout_seconds", kind: "number", fallback: "30" },
  { key: "allow_private_addresses", kind: "switch", fallback: "false" },
  { key: "allow_insecure", kind: "switch", fallback: "false" },
  { key: "headers", kind: "pairs", more: true },
  { key: "accepted_statuses", kind: "numbers", fallback: "200, 201, 202, 204", more: true },
  { key: "tls_ca", kind: "area", more: true },
];

export const TERMS: readonly Setting[] = [
  { key: "max_attempts", kind: "whole" },
  { key: "first_delay_seconds", kind: "number" },
  { key: "longest_delay_seconds", kind: "number" },
  { key: "concurrency", kind: "whole" },
  { key: "ack_sla_seconds", kind: "number" },
  { key: "ack_poll_seconds", kind: "number" },
];

/** The fields of the form; those of a dropzone depend on what is chosen in it. */
export function settingsOf(connector: ConnectorReply, values: Values): readonly Setting[] {
  if (connector.connector_type === HTTP) return HTTP_SETTINGS;
  if (connector.connector_type !== DROPZONE) return schemaSettings(connector.config_schema);
  const overSftp = values.transport === "sftp";
  return overSftp ? [TRANSPORT, ...SFTP, ...PLACES, ...SFTP_TIMES] : [TRANSPORT, ...PLACES];
}

/** Every setting that the connector has, whatever is chosen. */
export function allSettingsOf(connector: ConnectorReply): readonly Setting[] {
  return settingsOf(connector, { transport: "sftp" });
}

/** Secrets that make sense with what is chosen. */
export function secretsOf(connector: ConnectorReply, values: Values): readonly string[] {
  const needless = connector.connector_type === DROPZONE && values.transport !== "sftp";
  return needless ? [] : connector.secret_names;
}
