/** What an event of the audit trail changed, flat: one turn per value. */
import type { AuditEventReply } from "../../api/schema";

export interface Turn {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Values that differ, in the order of `after`, then what only stood before. */
export function turns(event: Pick<AuditEventReply, "before" | "after">): readonly Turn[] {
  const before = flat(event.before ?? {});
  const after = flat(event.after ?? {});
  return [...new Set([...after.keys(), ...before.keys()])]
    .map((path) => ({ path, before: before.get(path) ?? "", after: after.get(path) ?? "" }))
    .filter((turn) => turn.before !== turn.after);
}

function flat(value: object, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, each] of Object.entries(value) as [string, unknown][]) {
    const path = `${prefix}${name}`;
    if (typeof each === "object" && each !== null && !Array.isArray(each)) {
      for (const [inner, text] of flat(each, `${path}.`)) found.set(inner, text);
    } else {
      found.set(path, written(each));
    }
  }
  return found;
}

function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
