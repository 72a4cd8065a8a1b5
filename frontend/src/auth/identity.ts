/** Who a token speaks for. The server verifies tokens; the console only reads them. */
export interface Identity {
  readonly subject: string;
  readonly orgId: string;
  readonly orgSlug: string | undefined;
  readonly roles: readonly string[];
  /** When the token ends by this machine's clock, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * The claims of a token that came at `now`.
 *
 * @throws Error when it is no JSON Web Token.
 */
export function identityOf(token: string, now = Date.now()): Identity {
  const payload = token.split(".")[1];
  if (payload === undefined) throw new Error("the access token is no JSON Web Token");
  const claims = JSON.parse(decoded(payload)) as Record<string, unknown>;
  return {
    subject: String(claims.sub),
    orgId: String(claims.org_id),
    orgSlug: typeof claims.org_slug === "string" ? claims.org_slug : undefined,
    roles: Array.isArray(claims.roles) ? claims.roles.map(String) : [],
    expiresAt: endOf(claims, now),
  };
}

/** Whether both are one person of one org. */
export function isSamePerson(left: Identity, right: Identity): boolean {
  return left.subject === right.subject && left.orgId === right.orgId;
}

/** A new token lasts for its whole life, whatever the clock of this machine says. */
function endOf({ exp, iat }: Record<string, unknown>, now: number): number {
  if (typeof exp !== "number") return Infinity;
  return typeof iat === "number" ? now + (exp - iat) * 1000 : exp * 1000;
}

function decoded(payload: string): string {
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (each) => each.charCodeAt(0)));
}
