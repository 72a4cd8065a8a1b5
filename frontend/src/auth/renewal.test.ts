import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { renewing } from "./renewal";

const LIFE = 600_000;
const outcome = { renewed: vi.fn(), ended: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a token is renewed a minute before it ends", async () => {
  renewing({ renew: () => Promise.resolve("new") }, Date.now() + LIFE, outcome);
  await vi.advanceTimersByTimeAsync(LIFE - 61_000);
  expect(outcome.renewed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(outcome.renewed).toHaveBeenCalledWith("new");
});

test("what cannot be renewed is used to its end", async () => {
  renewing({ renew: () => Promise.resolve(undefined) }, Date.now() + LIFE, outcome);
  await vi.advanceTimersByTimeAsync(LIFE - 1_000);
  expect(outcome.ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(outcome.ended).toHaveBeenCalledOnce();
});

test("a provider that is away for a moment ends no session", async () => {
  const renew = vi.fn(() => Promise.resolve<string | undefined>("new"));
  renew.mockRejectedValueOnce(new Error("away"));
  renewing({ renew }, Date.now() + LIFE, outcome);
  await vi.advanceTimersByTimeAsync(LIFE - 50_000);
  expect(renew).toHaveBeenCalledTimes(2);
  expect(outcome.renewed).toHaveBeenCalledWith("new");
  expect(outcome.ended).not.toHaveBeenCalled();
});

test("a provider that stays away ends it when the token ends", async () => {
  renewing({ renew: () => Promise.reject(new Error("away")) }, Date.now() + LIFE, outcome);
  await vi.advanceTimersByTimeAsync(LIFE - 1);
  expect(outcome.ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(outcome.ended).toHaveBeenCalledOnce();
});

test("who left is not renewed", async () => {
  renewing({ renew: () => Promise.resolve("new") }, Date.now() + LIFE, outcome)();
  await vi.advanceTimersByTimeAsync(LIFE);
  expect(outcome.renewed).not.toHaveBeenCalled();
});
