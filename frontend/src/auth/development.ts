/** The sign-in of a development machine. The choice outlives a reload, the token does not. */
import { Problem } from "../api/problem";
import type { Org } from "./config";
import type { LocalSignIn } from "./signIn";

export interface Choice {
  readonly subject: string;
  readonly org_id: string;
  readonly org_slug: string;
  readonly roles: readonly string[];
}

const KEY = "countersign.development-sign-in";

export class DevelopmentSignIn implements LocalSignIn {
  readonly kind = "development";

  constructor(readonly orgs: readonly Org[]) {}

  async resume(): Promise<string | undefined> {
    const choice = this.chosen();
    return choice && this.enter(choice);
  }

  renew(): Promise<string | undefined> {
    return this.resume();
  }

  /** Whom the person chose to be, in this tab. */
  chosen(): Choice | undefined {
    const kept = sessionStorage.getItem(KEY);
    return kept === null ? undefined : (JSON.parse(kept) as Choice);
  }

  /** A token for `choice`. */
  async enter(choice: Choice): Promise<string> {
    const response = await fetch(`${import.meta.env.BASE_URL}sign-in`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(choice),
    });
    if (!response.ok) throw await Problem.from(response);
    sessionStorage.setItem(KEY, JSON.stringify(choice));
    const reply = (await response.json()) as { access_token: string };
    return reply.access_token;
  }

  leave(): Promise<void> {
    sessionStorage.removeItem(KEY);
    return Promise.resolve();
  }
}
