/**
 * The ways to sign in, behind one face.
 *
 *     DevelopmentSignIn   the gateway signs a token for whoever one says to be
 *     OidcSignIn          OpenID Connect with PKCE
 */
export type SignIn = ProviderSignIn | LocalSignIn;

/** People are sent to a provider. */
export interface ProviderSignIn extends Renewable {
  readonly kind: "oidc";
  /** Leaves for the provider; never comes back to the caller. */
  go(): Promise<never>;
  /** Asks the provider in a window of its own: this page stays. */
  goBeside(): Promise<string>;
}

/** People fill in a form of ours. */
export interface LocalSignIn extends Renewable {
  readonly kind: "development";
}

interface Renewable {
  /**
   * A token without asking the person, when the page loads: after a reload, or on the way back from
   * the provider, which may mean to leave the page. Undefined when the person has to act.
   */
  resume(): Promise<string | undefined>;

  /** A token without asking the person, and without leaving the page. */
  renew(): Promise<string | undefined>;

  /** Makes sure that a reload does not sign in again. */
  leave(): Promise<void>;
}
