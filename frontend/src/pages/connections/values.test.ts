import { expect, test } from "vitest";

import type { Setting } from "./settings";
import { readValues, unshown, writeValues } from "./values";

const SETTINGS: readonly Setting[] = [
  { key: "host", kind: "text", required: true },
  { key: "port", kind: "whole", fallback: "22" },
  { key: "wait", kind: "number" },
  { key: "mode", kind: "choice", choices: ["a", "b"], fallback: "a" },
  { key: "open", kind: "switch", fallback: "false" },
  { key: "strict", kind: "switch", fallback: "true" },
  { key: "keys", kind: "lines" },
  { key: "codes", kind: "numbers" },
  { key: "headers", kind: "pairs" },
  { key: "extra", kind: "json" },
];
const CONFIG = {
  host: "erp.example",
  port: 2222,
  wait: 1.5,
  mode: "b",
  open: true,
  strict: false,
  keys: ["one", "two"],
  codes: [200, 204],
  headers: { "X-A": "1", "X-B": "b: c" },
  extra: { deep: [1, null] },
};

test("settings that are stored come back from their fields as they were", () => {
  expect(readValues(SETTINGS, writeValues(SETTINGS, CONFIG))).toEqual({
    config: CONFIG,
    flaws: {},
  });
});

test("what holds anyway is left out", () => {
  const values = writeValues(SETTINGS, { host: "h" });
  expect(values).toMatchObject({ mode: "a", open: "false", strict: "true", port: "" });
  expect(readValues(SETTINGS, values).config).toEqual({ host: "h" });
});

test("every flaw is named with its field", () => {
  const values = {
    port: "22.5",
    wait: "soon",
    codes: "200, ok",
    headers: "no colon",
    extra: "{",
  };
  expect(readValues(SETTINGS, values).flaws).toEqual({
    host: "required",
    port: "whole",
    wait: "number",
    codes: "whole",
    headers: "pair",
    extra: "json",
  });
});

test("settings that no field shows are known, so that a change can keep them", () => {
  expect(unshown(SETTINGS, { host: "h", novel: 1 })).toEqual({ novel: 1 });
});
