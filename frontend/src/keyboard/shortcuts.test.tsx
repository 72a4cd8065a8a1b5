import { cleanup, render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Shortcut, listenForShortcuts, switchShortcuts, useShortcuts } from "./shortcuts";

let stop: () => void;
beforeEach(() => {
  stop = listenForShortcuts();
});
afterEach(() => {
  stop();
  cleanup();
  switchShortcuts(true);
});

function Page({ shortcut }: { readonly shortcut: Shortcut }) {
  useShortcuts([shortcut]);
  return <input aria-label="search" />;
}

function offered(change: Partial<Shortcut> = {}) {
  const run = vi.fn();
  const { getByLabelText, unmount } = render(
    <Page shortcut={{ key: "a", label: "approve", run, ...change }} />,
  );
  return { run, input: getByLabelText("search"), unmount };
}

test("a key runs what the page offers for it", async () => {
  const { run } = offered();
  await userEvent.keyboard("a");
  expect(run).toHaveBeenCalledOnce();
});

test("keys keep still while someone types", async () => {
  const { run, input } = offered();
  await userEvent.type(input, "a");
  expect(run).not.toHaveBeenCalled();
});

test("keys with a modifier belong to the browser", async () => {
  const { run } = offered();
  await userEvent.keyboard("{Control>}a{/Control}");
  expect(run).not.toHaveBeenCalled();
});

test("an action that is not possible, gone or switched off is not run", async () => {
  const disabled = offered({ enabled: false });
  await userEvent.keyboard("a");
  expect(disabled.run).not.toHaveBeenCalled();
  disabled.unmount();
  const gone = offered();
  gone.unmount();
  await userEvent.keyboard("a");
  expect(gone.run).not.toHaveBeenCalled();
  const { run } = offered();
  switchShortcuts(false);
  await userEvent.keyboard("a");
  expect(run).not.toHaveBeenCalled();
});
