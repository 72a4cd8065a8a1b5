import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { type Action, may } from "./permissions";

/** Where the services say who may call what. */
const SERVICES = ["approval", "push", "audit"];
const RPC: Record<Action, string> = {
  approve: "ApproveDraft",
  edit: "EditDraft",
  reject: "RejectDraft",
  revoke: "RevokeApproval",
  push: "PushDraft",
  expedite: "ExpediteExport",
  cancelExport: "CancelExport",
  settleExport: "ResolveExport",
  changeConnections: "UpdateConnection",
  testConnections: "TestConnection",
  pauseConnections: "PauseConnection",
  verifyAudit: "VerifyChain",
  changePolicy: "SetApprovalPolicy",
};
const ROLES = ["ADMIN", "INTEGRATOR", "OPERATOR", "VIEWER"];
const root = `${import.meta.dirname}/../../..`;
const access = SERVICES.map((name) =>
  readFileSync(`${root}/services/${name}/src/countersign_${name}/access.py`, "utf8"),
).join("\n");
const sets = readFileSync(`${root}/libs/core/src/countersign_core/roles.py`, "utf8");

/** The roles in a set of countersign_core.roles. */
function members(set: string): string[] {
  const found = new RegExp(`^${set} = frozenset\\(\\{(.*)\\}\\)$`, "m").exec(sets)?.[1] ?? "";
  return [...found.matchAll(/Role\.([A-Z]+)/g)].map(([, role]) => role ?? "");
}

/** Roles that the service allows for the call. */
function allowed(rpc: string): string[] {
  const expression = new RegExp(`${rpc}": ([A-Z| ]+),`).exec(access)?.[1];
  if (expression === undefined) throw new Error(`no service knows ${rpc}`);
  return expression.split("|").flatMap((set) => members(set.trim()));
}

test.each(Object.entries(RPC) as [Action, string][])(
  "%s is offered to the roles for which the service takes %s",
  (action, rpc) => {
    const offered = ROLES.filter((role) => may({ roles: [role] }, action));
    expect(offered).toEqual(ROLES.filter((role) => allowed(rpc).includes(role)));
    expect(offered).not.toHaveLength(0);
  },
);

test("OPS is an operator, and names nobody knows allow nothing", () => {
  expect(may({ roles: ["ops"] }, "approve")).toBe(true);
  expect(may({ roles: ["OWNER"] }, "approve")).toBe(false);
});
