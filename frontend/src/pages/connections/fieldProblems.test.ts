import { expect, test } from "vitest";

import { placed } from "./fieldProblems";

test("a complaint about a part of a field stands beside the field, others are kept", () => {
  const errors = [
    { field: "config.headers.Host", detail: "is set by the connector itself" },
    { field: "config.host_keys[0]", detail: "is no key" },
    { field: "config.host_keys[1]", detail: "is none either" },
    { field: "secrets", detail: "must have password or private_key" },
    { field: "config.hosts", detail: "is not known" },
  ];
  const names = ["config.host", "config.headers", "config.host_keys", "secrets.password"];
  expect(placed(errors, names)).toEqual({
    beside: {
      "config.headers": "is set by the connector itself",
      "config.host_keys": "is no key; is none either",
    },
    others: [errors[3], errors[4]],
  });
});
