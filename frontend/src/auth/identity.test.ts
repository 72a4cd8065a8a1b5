import { expect, test } from "vitest";

import { identityOf } from "./identity";

const encoded = (claims: object) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(claims))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

test("the claims of a token are read, names in any script included", () => {
  const token = `e30.${encoded({ sub: "Jürgen 李", org_id: "o-1", roles: ["OPERATOR"], exp: 10 })}.x`;
  expect(identityOf(token)).toEqual({
    subject: "Jürgen 李",
    orgId: "o-1",
    orgSlug: undefined,
    roles: ["OPERATOR"],
    expiresAt: 10_000,
  });
});

test("what is no token is refused", () => {
  expect(() => identityOf("opaque")).toThrow("no JSON Web Token");
});

test("a token lasts for its whole life, though this machine's clock is wrong", () => {
  const token = `e30.${encoded({ sub: "olga", iat: 1_000, exp: 4_600 })}.x`;
  expect(identityOf(token, 90_000_000).expiresAt).toBe(90_000_000 + 3_600_000);
});
