/**
 * What a person changed and has not saved, apart from what they changed it in.
 *
 * Each edit remembers the value that it was made on. So edits can be put on a newer draft order:
 * where that value still stands they fit, and where somebody else changed it the person decides.
 */
import type { EditBody, LineReply } from "../../api/schema";
import {
  type Content,
  type CustomerField,
  type FieldPath,
  type HeaderField,
  LINE_FIELDS,
  type LineField,
  type LinePath,
  ORDER_PATHS,
  lineOf,
  linePath,
  orderValue,
} from "./content";

export interface FieldEdit {
  readonly before: string | null;
  readonly after: string | null;
}

export interface Edits {
  readonly fields: Readonly<Partial<Record<FieldPath, FieldEdit>>>;
  /** Numbers of new lines. */
  readonly added: readonly number[];
  /** Lines that go, as they were. */
  readonly removed: readonly LineReply[];
}

export const NO_EDITS: Edits = { fields: {}, added: [], removed: [] };

/** How many fields and lines differ. */
export function size(edits: Edits): number {
  const fields = entries(edits).filter(([path]) => !isNew(edits, path));
  return fields.length + edits.added.length + edits.removed.length;
}

/** The value that a field has with the edits. */
export function valueOf(base: Content, edits: Edits, path: FieldPath): string | null {
  const edit = edits.fields[path];
  return edit === undefined ? baseValue(base, path) : edit.after;
}

/** Another value for a field; the old one again is no edit. */
export function withValue(base: Content, edits: Edits, path: FieldPath, text: string): Edits {
  const after = text === "" ? null : text;
  const before = baseValue(base, path);
  const fields = { ...edits.fields };
  if (after === before) Reflect.deleteProperty(fields, path);
  else fields[path] = { before, after };
  return { ...edits, fields };
}

export function withLine(base: Content, edits: Edits): Edits {
  const numbers = [...base.lines.map((line) => line.line_no), ...edits.added];
  return { ...edits, added: [...edits.added, Math.max(0, ...numbers) + 1] };
}

export function withoutLine(base: Content, edits: Edits, line: number): Edits {
  const kept = entries(edits).filter(([path]) => lineOf(path)?.line !== line);
  const fields = Object.fromEntries(kept);
  if (edits.added.includes(line)) {
    return { ...edits, fields, added: edits.added.filter((each) => each !== line) };
  }
  const gone = base.lines.filter((each) => each.line_no === line);
  return { ...edits, fields, removed: [...edits.removed, ...gone] };
}

/** The lines that there are with the edits, with the values before them. */
export function linesOf(base: Content, edits: Edits): readonly LineReply[] {
  if (edits.added.length === 0 && edits.removed.length === 0) return base.lines;
  const gone = new Set(edits.removed.map((each) => each.line_no));
  return [...base.lines.filter((line) => !gone.has(line.line_no)), ...edits.added.map(emptyLine)];
}

/** The content with the edits. */
export function edited(base: Content, edits: Edits): Content {
  const value = (path: FieldPath) => valueOf(base, edits, path);
  const touched = new Set(entries(edits).flatMap(([path]) => lineOf(path)?.line ?? []));
  const customer = { ...base.customer };
  const header = { ...base.header };
  for (const path of ORDER_PATHS) {
    const [part, name] = path.split(".") as ["customer" | "header", string];
    if (part === "customer") customer[name as CustomerField] = value(path);
    else header[name as HeaderField] = value(path);
  }
  const lines = linesOf(base, edits).map((line) =>
    touched.has(line.line_no) ? editedLine(line, value) : line,
  );
  return { customer, header, lines };
}

/** The merge patch that makes `base` what the person wants. */
export function patchOf(base: Content, edits: Edits): Partial<EditBody> {
  const patch: { customer?: object; header?: object; lines?: readonly LineReply[] } = {};
  for (const [path, { after }] of entries(edits)) {
    if (lineOf(path) !== undefined) continue;
    const [part, name] = path.split(".") as ["customer" | "header", string];
    patch[part] = { ...patch[part], [name]: after };
  }
  const inLines = entries(edits).some(([path]) => lineOf(path) !== undefined);
  if (inLines || edits.added.length > 0 || edits.removed.length > 0) {
    patch.lines = edited(base, edits).lines;
  }
  return patch as Partial<EditBody>;
}

export interface Conflict {
  readonly path: string;
  readonly before: string | null;
  readonly theirs: string | null;
  readonly mine: string | null;
}

/** Where somebody else changed what the person changed, too, and to something else. */
export function conflicts(edits: Edits, now: Content): readonly Conflict[] {
  const there = new Map(now.lines.map((line) => [line.line_no, line]));
  const found: Conflict[] = [];
  for (const [path, { before, after }] of entries(edits)) {
    if (isNew(edits, path)) continue;
    const theirs = valueIn(now, there, path);
    if (theirs !== before && theirs !== after) found.push({ path, before, theirs, mine: after });
  }
  for (const line of edits.removed) {
    const is = there.get(line.line_no);
    if (is === undefined || LINE_FIELDS.every((field) => is[field] === line[field])) continue;
    const [before, theirs] = [shortly(line), shortly(is)];
    found.push({ path: `lines[${line.line_no}]`, before, theirs, mine: null });
  }
  return found;
}

/**
 * The edits on a newer content.
 *
 * @param mine paths of the conflicts that the person wins; at the others what is there stays.
 */
export function rebased(
  base: Content,
  edits: Edits,
  now: Content,
  mine: ReadonlySet<string>,
): Edits {
  const lost = new Set(
    conflicts(edits, now)
      .map(({ path }) => path)
      .filter((path) => !mine.has(path)),
  );
  let result = NO_EDITS;
  for (const line of edits.removed) {
    if (!lost.has(`lines[${line.line_no}]`)) result = withoutLine(now, result, line.line_no);
  }
  const numbers = new Map<number, number>();
  for (const line of edits.added) {
    result = withLine(now, result);
    numbers.set(line, result.added.at(-1) ?? line);
  }
  for (const [path, { after }] of entries(edits)) {
    if (lost.has(path)) continue;
    result = put(base, now, result, numbers, path, after ?? "");
  }
  return result;
}

/** One edit on the newer content; a line that somebody removed comes back as a new one. */
function put(
  base: Content,
  now: Content,
  edits: Edits,
  numbers: Map<number, number>,
  path: FieldPath,
  text: string,
): Edits {
  const place = lineOf(path);
  if (place === undefined) return withValue(now, edits, path, text);
  const there = now.lines.some((line) => line.line_no === place.line);
  let result = edits;
  if (!there && !numbers.has(place.line)) {
    result = withLine(now, result);
    const number = result.added.at(-1) ?? place.line;
    numbers.set(place.line, number);
    const was = base.lines.find((line) => line.line_no === place.line);
    for (const field of LINE_FIELDS) {
      result = withValue(now, result, linePath(number, field), was?.[field] ?? "");
    }
  }
  const number = numbers.get(place.line) ?? place.line;
  return withValue(now, result, linePath(number, place.field as LineField), text);
}

function entries(edits: Edits): [FieldPath, FieldEdit][] {
  return Object.entries(edits.fields) as [FieldPath, FieldEdit][];
}

function isNew(edits: Edits, path: string): boolean {
  const place = lineOf(path);
  return place !== undefined && edits.added.includes(place.line);
}

function baseValue(base: Content, path: FieldPath): string | null {
  const place = lineOf(path);
  if (place === undefined) return orderValue(base, path as (typeof ORDER_PATHS)[number]);
  const line = base.lines.find((each) => each.line_no === place.line);
  return line?.[place.field as LineField] ?? null;
}

function valueIn(now: Content, lines: Map<number, LineReply>, path: FieldPath): string | null {
  const place = lineOf(path);
  if (place === undefined) return orderValue(now, path as (typeof ORDER_PATHS)[number]);
  return lines.get(place.line)?.[place.field as LineField] ?? null;
}

function editedLine(line: LineReply, value: (path: LinePath) => string | null): LineReply {
  const fields = LINE_FIELDS.map((field) => [field, value(linePath(line.line_no, field))]);
  return { ...line, ...(Object.fromEntries(fields) as Partial<LineReply>) };
}

function emptyLine(line_no: number): LineReply {
  return {
    line_no,
    internal_sku: null,
    qty: null,
    uom: null,
    unit_price: null,
    currency: null,
    customer_sku_raw: null,
    description: null,
  };
}

function shortly(line: LineReply): string {
  return LINE_FIELDS.flatMap((field) => line[field] ?? []).join(" · ");
}
