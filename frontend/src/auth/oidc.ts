/**
 * OpenID Connect, authorization code with PKCE.
 *
 * Tokens stay in memory. What has to outlive the way to the provider and back (the PKCE verifier,
 * where the person was) is in sessionStorage until the person is back.
 */
import { InMemoryWebStorage, UserManager, WebStorageStateStore } from "oidc-client-ts";

import type { SignInConfig } from "./config";
import type { ProviderSignIn } from "./signIn";

const CALLBACK = "signed-in";
const SIGNED_IN_BEFORE = "countersign.signed-in-before";
/** Comes back from the provider with the answer, and says whose it is. */
const BESIDE = "beside";

type OidcConfig = Extract<SignInConfig, { sign_in: "oidc" }>;

export class OidcSignIn implements ProviderSignIn {
  readonly kind = "oidc";
  readonly #base = `${window.location.origin}${import.meta.env.BASE_URL}`;
  readonly #manager: UserManager;

  constructor(config: OidcConfig) {
    this.#manager = new UserManager({
      authority: config.authority,
      client_id: config.client_id,
      scope: config.scope,
      redirect_uri: this.#base + CALLBACK,
      post_logout_redirect_uri: this.#base,
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: window.sessionStorage }),
      // The console renews by refresh token, when it wants to: no hidden frames.
      automaticSilentRenew: false,
      monitorSession: false,
      loadUserInfo: false,
    });
  }

  async resume(): Promise<string | undefined> {
    if (window.location.pathname === `${import.meta.env.BASE_URL}${CALLBACK}`) return this.#back();
    // The provider still knows the person: no question will be asked there.
    if (sessionStorage.getItem(SIGNED_IN_BEFORE) !== null) return this.go();
    return undefined;
  }

  /** Leaves for the provider; never comes back to the caller. */
  async go(): Promise<never> {
    const { pathname, search, hash } = window.location;
    await this.#manager.signinRedirect({ state: pathname + search + hash });
    return new Promise<never>(() => undefined);
  }

  async goBeside(): Promise<string> {
    const user = await this.#manager.signinPopup({ url_state: BESIDE, popupAbortOnClose: true });
    return user.access_token;
  }

  async renew(): Promise<string | undefined> {
    if ((await this.#manager.getUser())?.refresh_token === undefined) return undefined;
    return (await this.#manager.signinSilent())?.access_token;
  }

  async leave(): Promise<void> {
    sessionStorage.removeItem(SIGNED_IN_BEFORE);
    await this.#manager.removeUser();
  }

  async #back(): Promise<string> {
    const { searchParams } = new URL(window.location.href);
    if (searchParams.get("state")?.endsWith(`;${BESIDE}`) === true) return this.#handOver();
    try {
      const user = await this.#manager.signinCallback();
      if (user === undefined) throw new Error("the provider sent nobody");
      sessionStorage.setItem(SIGNED_IN_BEFORE, "yes");
      window.history.replaceState(null, "", this.#within(user.state));
      return user.access_token;
    } catch (error) {
      sessionStorage.removeItem(SIGNED_IN_BEFORE);
      window.history.replaceState(null, "", this.#base);
      throw error;
    }
  }

  /** This window was opened by {@link goBeside}, which takes the answer and closes it. */
  async #handOver(): Promise<never> {
    await this.#manager.signinPopupCallback();
    return new Promise<never>(() => undefined);
  }

  /** Where the person was, if that is a page of ours. */
  #within(state: unknown): string {
    return typeof state === "string" && state.startsWith(import.meta.env.BASE_URL)
      ? state
      : this.#base;
  }
}
