import { expect, test } from "vitest";

import { SseParser } from "./sseParser";

const STREAM =
  'retry: 2000\n\n: heartbeat\n\nid: 7\nevent: draft-status\ndata: {"a":\ndata: 1}\n\ndata: x\r\n\r\n';

test("events, ids and the time to come back are read", () => {
  const parser = new SseParser();
  expect(parser.feed(STREAM)).toEqual([
    { id: "7", event: "draft-status", data: '{"a":\n1}' },
    { id: "7", event: "message", data: "x" },
  ]);
  expect(parser.retryMilliseconds).toBe(2000);
});

test("chunks may end anywhere", () => {
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    const parser = new SseParser();
    const found = [...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))];
    expect(
      found.map((each) => each.data),
      `cut at ${cut}`,
    ).toEqual(['{"a":\n1}', "x"]);
  }
});

test("an event that the connection broke off is not one", () => {
  expect(new SseParser().feed("id: 8\ndata: half")).toEqual([]);
});
