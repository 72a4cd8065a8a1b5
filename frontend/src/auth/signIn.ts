/**
 * The ways to sign in, behind one face.
 *
 *     DevelopmentSignIn   the gateway signs a token for whoever one says to be
 *     OidcSignIn          OpenID Connect with PKCE
 */
export type SignIn = ProviderSignIn | LocalSignIn;

/** People are sent to a provider. */
export interface ProviderSignIn extends Resumable {
  readonly kind: "oidc";
  /** Leaves for the provider; never comes back to the caller. */
  go(): Promise<never>;
}

/** People fill in a form of ours. */
export interface LocalSignIn extends Resumable {
  readonly kind: "development";
}

interface Resumable {
  /**
   * A token without asking the person: after a reload, on the way back from the provider, or when
   * the old one runs out. Undefined when the person has to act.
   */
  resume(): Promise<string | undefined>;

  /** Makes sure that a reload does not sign in again. */
  leave(): Promise<void>;
}
