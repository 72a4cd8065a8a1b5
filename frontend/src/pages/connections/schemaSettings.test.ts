import { expect, test } from "vitest";

import { schemaSettings } from "./schemaSettings";
import { readValues, writeValues } from "./values";

test("a plug-in's schema makes fields of fitting kinds", () => {
  const schema = {
    type: "object",
    required: ["host", "tls"],
    properties: {
      host: { type: "string", title: "Host", description: "Where it is." },
      port: { type: "integer", default: 70 },
      seconds: { type: ["number", "null"] },
      tls: { type: "boolean" },
      mode: { enum: ["line", "block"], default: "line" },
      level: { enum: [1, 2] },
      names: { type: "array", items: { type: "string" } },
      codes: { type: "array", items: { type: "integer" }, default: [1, 2] },
      labels: { type: "object", additionalProperties: { type: "string" } },
      nested: { type: "object", properties: { a: {} } },
    },
  };
  expect(schemaSettings(schema)).toEqual([
    { key: "host", kind: "text", required: true, title: "Host", help: "Where it is." },
    { key: "port", kind: "whole", required: false, fallback: "70" },
    { key: "seconds", kind: "number", required: false },
    { key: "tls", kind: "switch", required: true },
    {
      key: "mode",
      kind: "choice",
      required: false,
      choices: ["line", "block"],
      fallback: "line",
    },
    { key: "level", kind: "json", required: false },
    { key: "names", kind: "lines", required: false },
    { key: "codes", kind: "numbers", required: false, fallback: "1, 2" },
    { key: "labels", kind: "pairs", required: false },
    { key: "nested", kind: "json", required: false },
  ]);
});

test("a schema that names no settings is filled in as JSON, whole", () => {
  const settings = schemaSettings({ type: "object" });
  const values = writeValues(settings, { any: [1] });
  expect(readValues(settings, values)).toEqual({ config: { any: [1] }, flaws: {} });
});
