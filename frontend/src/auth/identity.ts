/** Who a token speaks for. The server verifies tokens; the console only reads them. */
export interface Identity {
  readonly subject: string;
  readonly orgId: string;
  readonly orgSlug: string | undefined;
  readonly roles: readonly string[];
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * The claims of a token.
 *
 * @throws Error when it is no JSON Web Token.
 */
export function identityOf(token: string): Identity {
  const payload = token.split(".")[1];
  if (payload === undefined) throw new Error("the access token is no JSON Web Token");
  const claims = JSON.parse(decoded(payload)) as Record<string, unknown>;
  return {
    subject: String(claims.sub),
    orgId: String(claims.org_id),
    orgSlug: typeof claims.org_slug === "string" ? claims.org_slug : undefined,
    roles: Array.isArray(claims.roles) ? claims.roles.map(String) : [],
    expiresAt: Number(claims.exp) * 1000,
  };
}

function decoded(payload: string): string {
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (each) => each.charCodeAt(0)));
}
