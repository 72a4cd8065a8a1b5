/** Between what stands in a form's fields and the JSON that it means. Pure. */
import type { Kind, Setting } from "./settings";

/** The text of each field, by the setting's key; a switch is "true" or "false". */
export type Values = Readonly<Record<string, string>>;
export type Config = Readonly<Record<string, unknown>>;

/** What is wrong with a field, before the server is asked. */
export type Flaw = "required" | "number" | "whole" | "json" | "pair";

export interface Read {
  readonly config: Config;
  /** By the setting's key. */
  readonly flaws: Readonly<Record<string, Flaw>>;
}

class FlawError extends Error {
  constructor(readonly flaw: Flaw) {
    super(flaw);
  }
}

/** The settings that the fields stand for; empty fields are left out. */
export function readValues(settings: readonly Setting[], values: Values): Read {
  const config: Record<string, unknown> = {};
  const flaws: Record<string, Flaw> = {};
  for (const setting of settings) {
    try {
      const value = read(setting, values[setting.key] ?? "");
      if (value === undefined) continue;
      if (setting.key === "") Object.assign(config, value);
      else config[setting.key] = value;
    } catch (error) {
      if (!(error instanceof FlawError)) throw error;
      flaws[setting.key] = error.flaw;
    }
  }
  return { config, flaws };
}

/** The fields' texts for settings that are stored. */
export function writeValues(settings: readonly Setting[], config: Config): Values {
  const values: Record<string, string> = {};
  for (const { key, kind, fallback = "" } of settings) {
    const value = key === "" ? config : config[key];
    const shown = kind === "switch" || kind === "choice" ? fallback : "";
    values[key] = value === undefined || value === null ? shown : write(kind, value);
  }
  return values;
}

/** Stored settings that no field shows, and that a change must not lose. */
export function unshown(settings: readonly Setting[], config: Config): Config {
  const shown = new Set(settings.map((each) => each.key));
  if (shown.has("")) return {};
  return Object.fromEntries(Object.entries(config).filter(([key]) => !shown.has(key)));
}

function read(setting: Setting, text: string): unknown {
  const bare = text.trim();
  if (setting.kind === "switch") {
    const value = bare === "" ? setting.fallback : bare;
    return value === setting.fallback && setting.required !== true ? undefined : value === "true";
  }
  if (bare === "") {
    if (setting.required === true) throw new FlawError("required");
    return undefined;
  }
  if (setting.kind === "choice" && bare === setting.fallback && setting.required !== true) {
    return undefined;
  }
  return PARSE[setting.kind](bare);
}

const PARSE: Record<Exclude<Kind, "switch">, (text: string) => unknown> = {
  text: (text) => text,
  choice: (text) => text,
  area: (text) => `${text}\n`,
  number: (text) => number(text),
  whole: (text) => whole(text),
  lines: (text) => nonEmpty(text.split("\n")),
  numbers: (text) => nonEmpty(text.split(/[\s,;]+/)).map(whole),
  pairs: (text) => Object.fromEntries(nonEmpty(text.split("\n")).map(pair)),
  json,
};

function write(kind: Kind, value: unknown): string {
  if (kind === "lines" && Array.isArray(value)) return value.join("\n");
  if (kind === "numbers" && Array.isArray(value)) return value.join(", ");
  if (kind === "pairs" && typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, each]) => `${name}: ${String(each)}`)
      .join("\n");
  }
  return typeof value === "string" && kind !== "json" ? value : JSON.stringify(value, null, 1);
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new FlawError("number");
  return value;
}

function whole(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new FlawError("whole");
  return Number(text);
}

function pair(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new FlawError("pair");
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new FlawError("json");
  }
}

function nonEmpty(texts: readonly string[]): string[] {
  return texts.map((each) => each.trim()).filter((each) => each !== "");
}
