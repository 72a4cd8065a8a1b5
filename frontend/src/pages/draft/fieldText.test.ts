import { expect, test } from "vitest";

import { meantBy, separatorOf, shownText } from "./fieldText";

test("a decimal is read as the locale writes it, digit by digit", () => {
  expect(separatorOf("de-DE")).toBe(",");
  expect(meantBy("lines[1].qty", "1,50", ",")).toEqual({ value: "1.50" });
  expect(meantBy("lines[1].unit_price", "-0.000001", ".")).toEqual({ value: "-0.000001" });
  expect(shownText("lines[1].qty", "1.50", ",")).toBe("1,50");
});

test("what could mean two numbers is refused", () => {
  expect(meantBy("lines[1].qty", "1.234", ",")).toEqual({ fault: "decimal" });
  expect(meantBy("lines[1].qty", "1,234.5", ".")).toEqual({ fault: "decimal" });
  expect(meantBy("lines[1].qty", "1,", ",")).toEqual({ fault: "decimal" });
  expect(meantBy("lines[1].qty", "1e3", ".")).toEqual({ fault: "decimal" });
});

test("a currency is three letters, in any case", () => {
  expect(meantBy("header.currency", " eur ", ".")).toEqual({ value: "EUR" });
  expect(meantBy("header.currency", "EU", ".")).toEqual({ fault: "currency" });
});

test("an empty field means no value", () => {
  expect(meantBy("lines[1].qty", " ", ".")).toEqual({ value: "" });
});
