/**
 * What a role may do: the one place that knows.
 *
 * The services decide (`access.py` of each); this keeps the console from offering what they would
 * refuse. A test reads their tables and holds the two together.
 */
import { useStore } from "../app/store";
import type { Identity } from "./identity";
import { session } from "./session";

const OPERATORS = ["ADMIN", "OPERATOR"];
const INTEGRATORS = ["ADMIN", "INTEGRATOR"];
const ANYONE_WHO_ACTS = ["ADMIN", "INTEGRATOR", "OPERATOR"];
const ADMINS = ["ADMIN"];

const ALLOWED = {
  approve: OPERATORS,
  edit: OPERATORS,
  reject: OPERATORS,
  revoke: OPERATORS,
  push: OPERATORS,
  expedite: OPERATORS,
  cancelExport: OPERATORS,
  settleExport: ADMINS,
  changeConnections: INTEGRATORS,
  testConnections: INTEGRATORS,
  pauseConnections: ANYONE_WHO_ACTS,
  verifyAudit: INTEGRATORS,
  changePolicy: ADMINS,
} as const satisfies Record<string, readonly string[]>;

export type Action = keyof typeof ALLOWED;

const ALIASES: Record<string, string> = { OPS: "OPERATOR" };

export function may(identity: Pick<Identity, "roles">, action: Action): boolean {
  const allowed: readonly string[] = ALLOWED[action];
  return identity.roles
    .map((role) => role.toUpperCase())
    .some((role) => allowed.includes(ALIASES[role] ?? role));
}

/** `may` for whoever is signed in. */
export function useMay(): (action: Action) => boolean {
  const identity = useStore(session.identity);
  return (action) => identity !== undefined && may(identity, action);
}
