/** How people sign in here: /console/config.json, written by the gateway from its settings. */
export interface Org {
  readonly id: string;
  readonly slug: string;
}

export type SignInConfig =
  | { readonly sign_in: "none" }
  | { readonly sign_in: "development"; readonly orgs: readonly Org[] }
  | {
      readonly sign_in: "oidc";
      readonly authority: string;
      readonly client_id: string;
      readonly scope: string;
    };

export async function loadConfig(): Promise<SignInConfig> {
  const response = await fetch(`${import.meta.env.BASE_URL}config.json`);
  if (!response.ok) throw new Error(`config.json: HTTP ${response.status}`);
  return (await response.json()) as SignInConfig;
}
