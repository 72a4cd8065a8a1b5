/** A form for a plug-in's settings, from its JSON Schema; what has no field of its own is JSON. */
import type { Kind, Setting } from "./settings";

type Schema = Readonly<Record<string, unknown>>;

const WHOLE: Setting = { key: "", kind: "json", required: true };

export function schemaSettings(schema: Schema | null): readonly Setting[] {
  const properties = object(schema?.properties);
  const names = Object.keys(properties);
  if (names.length === 0) return [WHOLE];
  const required = list(schema?.required);
  return names.map((key) => setting(key, object(properties[key]), required.includes(key)));
}

function setting(key: string, schema: Schema, required: boolean): Setting {
  const kind = kindOf(schema);
  return {
    key,
    kind,
    required,
    ...(kind === "choice" ? { choices: choices(schema) } : {}),
    ...text("title", schema.title),
    ...text("help", schema.description),
    ...text("fallback", written(kind, schema.default)),
  };
}

function kindOf(schema: Schema): Kind {
  if (choices(schema).length > 0) return "choice";
  const type = list(schema.type).find((each) => each !== "null") ?? schema.type;
  if (type === "string") return "text";
  if (type === "integer") return "whole";
  if (type === "number") return "number";
  if (type === "boolean") return "switch";
  if (type === "array") return ofList(object(schema.items).type);
  const members = object(schema.additionalProperties).type;
  if (type === "object" && schema.properties === undefined && members === "string") return "pairs";
  return "json";
}

function ofList(items: unknown): Kind {
  if (items === "string") return "lines";
  return items === "integer" ? "numbers" : "json";
}

/** The words to choose from; none when the values are not all words. */
function choices(schema: Schema): readonly string[] {
  const values = schema.const === undefined ? list(schema.enum) : [schema.const];
  const words = values.filter((each) => typeof each === "string");
  return words.length === values.length ? words : [];
}

function written(kind: Kind, value: unknown): unknown {
  if (value === undefined || typeof value === "string") return value;
  if (Array.isArray(value) && kind === "numbers") return value.join(", ");
  return JSON.stringify(value);
}

function text<K extends string>(name: K, value: unknown): Partial<Record<K, string>> {
  return typeof value === "string" && value !== ""
    ? ({ [name]: value } as Partial<Record<K, string>>)
    : {};
}

function object(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Schema)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
