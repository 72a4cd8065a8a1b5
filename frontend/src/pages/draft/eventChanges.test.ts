import { expect, test } from "vitest";

import { turns } from "./eventChanges";

test("what an act changed is listed, what stayed is not", () => {
  const event = {
    before: { status: "READY", version: 2, "header.notes": null },
    after: { status: "APPROVED", version: 3, "header.notes": null, error: { code: "X" } },
  };
  expect(turns(event)).toEqual([
    { path: "status", before: "READY", after: "APPROVED" },
    { path: "version", before: "2", after: "3" },
    { path: "error.code", before: "", after: "X" },
  ]);
});
