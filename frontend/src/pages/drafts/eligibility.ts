/**
 * Which of the selected drafts an act can have, and why not the others: the preview of a bulk act.
 *
 * The server decides; this tells beforehand what it will say, as far as the list knows.
 */
import type { DraftStatus } from "../../api/schema";
import type { Row } from "./queries";

export type Act = "approve" | "push";

export type Obstacle =
  | { readonly kind: "state"; readonly status: DraftStatus }
  | { readonly kind: "fourEyes" }
  | { readonly kind: "noConnection" };

export interface Circumstances {
  readonly subject: string;
  /** Orders above this value need a second person; null: none does. */
  readonly fourEyesAbove: string | null;
  readonly hasConnection: boolean;
}

const NEEDED: Record<Act, DraftStatus> = { approve: "READY", push: "APPROVED" };

/** Why the act is not possible; undefined when nothing speaks against it. */
export function obstacle(act: Act, row: Row, around: Circumstances): Obstacle | undefined {
  if (row.status !== NEEDED[act]) return { kind: "state", status: row.status };
  const before = act === "approve" ? row.last_edited_by_user_id : row.approved_by_user_id;
  if (before === around.subject && needsTwo(row, around)) return { kind: "fourEyes" };
  if (act === "push" && !around.hasConnection) return { kind: "noConnection" };
  return undefined;
}

export interface Sorted {
  readonly eligible: readonly Row[];
  /** The others, by what stands in their way. */
  readonly others: readonly { readonly obstacle: Obstacle; readonly rows: readonly Row[] }[];
}

export function sorted(act: Act, rows: Iterable<Row>, around: Circumstances): Sorted {
  const eligible: Row[] = [];
  const others = new Map<string, { obstacle: Obstacle; rows: Row[] }>();
  for (const row of rows) {
    const found = obstacle(act, row, around);
    if (found === undefined) eligible.push(row);
    else {
      const key = JSON.stringify(found);
      const group = others.get(key) ?? { obstacle: found, rows: [] };
      group.rows.push(row);
      others.set(key, group);
    }
  }
  return { eligible, others: [...others.values()] };
}

function needsTwo(row: Row, { fourEyesAbove }: Circumstances): boolean {
  return (
    fourEyesAbove !== null && row.total_value !== null && isAbove(row.total_value, fourEyesAbove)
  );
}

/** Whether a decimal is larger than another, by their digits. */
export function isAbove(value: string, limit: string): boolean {
  const places = Math.max(...[value, limit].map((each) => each.split(".")[1]?.length ?? 0));
  const scaled = (text: string) => {
    const [whole = "0", fraction = ""] = text.split(".");
    return BigInt(whole + fraction.padEnd(places, "0"));
  };
  return scaled(value) > scaled(limit);
}
