import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";

import { LIST_KEY, showChange } from "./statusChanges";

function listed(version: number) {
  const queries = new QueryClient();
  const key = [...LIST_KEY, {}];
  queries.setQueryData(key, { drafts: [{ id: "d", status: "PUSHING", version }, { id: "e" }] });
  const row = () =>
    queries.getQueryData<{ drafts: { status: string; version: number }[] }>(key)?.drafts[0];
  return { queries, row };
}

const pushed = { draft_order_id: "d", from_status: "PUSHING", to_status: "PUSHED" } as const;

test("a row moves with its draft", () => {
  const { queries, row } = listed(3);
  showChange(queries, { ...pushed, version: 4 });
  expect(row()).toMatchObject({ status: "PUSHED", version: 4 });
});

test("a change that comes twice, or late, moves nothing back", () => {
  const { queries, row } = listed(5);
  showChange(queries, { ...pushed, version: 4 });
  expect(row()).toMatchObject({ status: "PUSHING", version: 5 });
});
