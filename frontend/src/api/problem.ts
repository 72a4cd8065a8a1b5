/**
 * Why a call did not go well.
 *
 *     Problem          the server refused, and says why (RFC 9457)
 *     ServerAwayError  nobody answered
 */
import type { ProblemReply } from "./schema";

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly document: Partial<ProblemReply>,
  ) {
    super(document.detail ?? document.title ?? `HTTP ${status}`);
    this.name = "Problem";
  }

  /** The reason, from the gateway's closed list; "" when something else answered for it. */
  get code(): string {
    return this.document.code ?? "";
  }

  /** Whether the same call may go well a little later. */
  get passes(): boolean {
    return this.status === 429 || this.status >= 502;
  }

  static async from(response: Response): Promise<Problem> {
    const document: unknown = await response.json().catch(() => ({}));
    return new Problem(response.status, isObject(document) ? document : {});
  }
}

export class ServerAwayError extends Error {
  constructor(cause: unknown) {
    super("the server does not answer", { cause });
    this.name = "ServerAwayError";
  }
}

/** Whether trying again can help. */
export function mayPass(error: unknown): boolean {
  return error instanceof ServerAwayError || (error instanceof Problem && error.passes);
}

function isObject(value: unknown): value is Partial<ProblemReply> {
  return typeof value === "object" && value !== null;
}
