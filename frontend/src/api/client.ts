/** The gateway's REST API, typed from its OpenAPI document (schema.d.ts is generated). */
import createClient, { type Middleware } from "openapi-fetch";

import { session } from "../auth/session";
import type { paths } from "./schema";
import { Problem, ServerAwayError } from "./problem";
import { reachability } from "./reachability";

const edge: Middleware = {
  onRequest({ request }) {
    const token = session.token();
    if (token !== undefined) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  async onResponse({ response }) {
    reachability.report(response.status !== 503 && response.status !== 504);
    if (response.ok) return;
    if (response.status === 401) session.expire();
    throw await Problem.from(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    reachability.report(false);
    return new ServerAwayError(error);
  },
};

/** Calls of it throw {@link Problem} or {@link ServerAwayError}; what they return went well. */
export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use(edge);

/** The body of a call that went well. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  const { data } = await call;
  if (data === undefined || data === null) throw new Error("the answer has no body");
  return data;
}
