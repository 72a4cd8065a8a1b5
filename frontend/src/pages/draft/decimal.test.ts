import { expect, test } from "vitest";

import { product } from "./decimal";

test("a line's amount has every digit", () => {
  expect(product("2", "4.15")).toBe("8.3");
  expect(product("999999999999.999999", "999999999999.999999")).toBe(
    "999999999999999998000000.000000000001",
  );
  expect(product("-0.5", "0.1")).toBe("-0.05");
  expect(product("0.100000", "3")).toBe("0.3");
});

test("what is no decimal has no amount", () => {
  expect(product(null, "1")).toBeUndefined();
  expect(product("1e3", "1")).toBeUndefined();
});
