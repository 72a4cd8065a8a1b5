/** What differs between two contents of a draft order. */
import {
  type Content,
  type FieldPath,
  LINE_FIELDS,
  ORDER_PATHS,
  linePath,
  orderValue,
} from "./content";

export interface FieldChange {
  readonly kind: "field";
  readonly path: FieldPath;
  readonly before: string | null;
  readonly after: string | null;
}

export interface LineChange {
  readonly kind: "added" | "removed";
  readonly line: number;
  /** What the line says or said, shortly. */
  readonly text: string;
}

export type Change = FieldChange | LineChange;

/** In the order of the page: the order's own fields, then lines by number. */
export function differences(before: Content, after: Content): readonly Change[] {
  return [...orderChanges(before, after), ...lineChanges(before, after)];
}

function orderChanges(before: Content, after: Content): readonly Change[] {
  return ORDER_PATHS.flatMap((path) =>
    change(path, orderValue(before, path), orderValue(after, path)),
  );
}

function lineChanges(before: Content, after: Content): readonly Change[] {
  const old = new Map(before.lines.map((line) => [line.line_no, line]));
  const now = new Map(after.lines.map((line) => [line.line_no, line]));
  const numbers = [...new Set([...old.keys(), ...now.keys()])].sort((a, b) => a - b);
  return numbers.flatMap((number): readonly Change[] => {
    const [was, is] = [old.get(number), now.get(number)];
    if (was === undefined && is !== undefined) return [whole("added", is)];
    if (was !== undefined && is === undefined) return [whole("removed", was)];
    if (was === undefined || is === undefined || was === is) return [];
    return LINE_FIELDS.flatMap((field) => change(linePath(number, field), was[field], is[field]));
  });
}

function change(path: FieldPath, before: string | null, after: string | null): FieldChange[] {
  return before === after ? [] : [{ kind: "field", path, before, after }];
}

function whole(kind: LineChange["kind"], line: Content["lines"][number]): LineChange {
  const text = [line.internal_sku, line.description, line.qty, line.uom]
    .filter((each) => each !== null)
    .join(" · ");
  return { kind, line: line.line_no, text };
}
