/** Runs an act on many drafts: chunk by chunk, with a result for each. */
import { api, body } from "../../api/client";
import { mayPass } from "../../api/problem";
import type { ProblemReply } from "../../api/schema";
import type { Act } from "./eligibility";
import type { Row } from "./queries";

/** The largest batch that the server takes. */
export const CHUNK = 500;
const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 1_000;

export interface Result {
  readonly row: Row;
  /** Undefined when it went well. */
  readonly problem?: Partial<ProblemReply>;
  /** Set when nobody knows: the server did not answer for this chunk. */
  readonly failure?: unknown;
}

export interface Intent {
  readonly act: Act;
  readonly rows: readonly Row[];
  /** The connection to push through; null: the only active one. */
  readonly connectionId: string | null;
  /** Names the intent: repeated, it pushes nothing twice. */
  readonly key: string;
}

/** Results come through `done` as they come in; what the server did not answer for is among them. */
export async function run(
  intent: Intent,
  done: (results: readonly Result[]) => void,
): Promise<void> {
  for (let start = 0; start < intent.rows.length; start += CHUNK) {
    const rows = intent.rows.slice(start, start + CHUNK);
    try {
      done(await persistently(() => chunk(intent, rows)));
    } catch (failure) {
      done(rows.map((row) => ({ row, failure })));
    }
  }
}

async function chunk(intent: Intent, rows: readonly Row[]): Promise<Result[]> {
  const answers = intent.act === "approve" ? await approve(rows) : await push(intent, rows);
  const byId = new Map(answers.map((each) => [each.draft_order_id, each]));
  return rows.map((row) => {
    const problem = byId.get(row.id)?.problem ?? undefined;
    return problem === undefined ? { row } : { row, problem };
  });
}

async function approve(rows: readonly Row[]) {
  const items = rows.map((row) => ({ draft_order_id: row.id, expected_version: row.version }));
  return (await body(api.POST("/draft-orders/batch-approve", { body: { items } }))).results;
}

async function push(intent: Intent, rows: readonly Row[]) {
  const items = rows.map((row) => ({
    draft_order_id: row.id,
    expected_version: row.version,
    erp_connection_id: intent.connectionId,
  }));
  const params = { header: { "Idempotency-Key": intent.key } };
  return (await body(api.POST("/draft-orders/batch-push", { params, body: { items } }))).results;
}

/**
 * An approval that is repeated is refused as given already, with the version that was seen; a push
 * is named by its key. So both may be asked again when no answer came.
 */
async function persistently<T>(task: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      if (attempt === ATTEMPTS || !mayPass(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS * attempt));
    }
  }
}
