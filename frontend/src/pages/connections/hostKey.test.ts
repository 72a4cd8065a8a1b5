import { beforeAll, expect, test, vi } from "vitest";

import { fingerprint, keyType } from "./hostKey";

// As `ssh-keygen -l` prints it for this key.
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoX/dKK/RuF9ouiNT2IrR/OSvb12AJ933HfRSBB6+YA erp";
const PRINT = "SHA256:Omazu2AjOH5fYOH9Fe1Toy2dWWTXwE0Gk1g8wnybmBs";

beforeAll(() => {
  vi.stubGlobal("isSecureContext", true);
});

test("a key's fingerprint is the one that ssh-keygen prints", async () => {
  expect(await fingerprint(KEY)).toBe(PRINT);
  expect(keyType(KEY)).toBe("ssh-ed25519");
});

test("what is no key has no fingerprint", async () => {
  expect(await fingerprint("ssh-ed25519 %%%")).toBeUndefined();
  expect(await fingerprint("")).toBeUndefined();
});
