import { expect, test } from "vitest";

import { formatFor } from "./format";

const english = formatFor("en-GB");
const german = formatFor("de-DE");

test("money is written as the locale writes it", () => {
  expect(english.money("1234.5", "EUR")).toBe("€1,234.50");
  expect(german.money("1234.5", "EUR")).toBe("1.234,50\u00a0€");
});

test("a decimal keeps digits that no float could hold", () => {
  expect(english.decimal("123456789012.123456")).toBe("123,456,789,012.123456");
  expect(english.money("900719925474.099301", "GBP")).toBe("£900,719,925,474.099301");
  expect(german.decimal("0.100000")).toBe("0,100000");
});

test("a day is the same day in every time zone", () => {
  expect(english.day("2026-03-01")).toBe("1 Mar 2026");
  expect(german.day("2026-03-01")).toBe("01.03.2026");
});

test("an age names the largest unit that is whole", () => {
  const now = Date.parse("2026-03-02T12:00:00Z");
  expect(english.ago("2026-03-01T11:00:00Z", now)).toBe("yesterday");
  expect(english.ago("2026-03-02T09:30:00Z", now)).toBe("2 hr ago");
  expect(german.ago("2026-03-02T11:58:00Z", now)).toBe("vor 2 Min.");
});
