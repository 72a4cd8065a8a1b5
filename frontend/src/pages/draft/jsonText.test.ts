import { expect, test } from "vitest";

import { indented } from "./jsonText";

test("every digit and every letter stays, only space is added", () => {
  const text =
    '{"a":1.10,"b":[{"c":"x, {y}: \\"z\\""},123456789012345678901234567890],"d":{},"e":[]}';
  expect(indented(text).replaceAll(/\n\s*/g, "").replaceAll('": ', '":')).toBe(text);
});

test("it is laid out as people read it", () => {
  expect(indented('{"a":{"b":[1,2]},"c":{}}\n')).toBe(
    '{\n  "a": {\n    "b": [\n      1,\n      2\n    ]\n  },\n  "c": {}\n}',
  );
});
