/**
 * What a draft order says, as fields with a path.
 *
 * Paths are those of the server's answers: `customer.name`, `header.currency`, `lines[7].qty`,
 * where 7 is the line's number and not its place.
 */
import type { DraftReply, LineReply } from "../../api/schema";

export type Content = Pick<DraftReply, "customer" | "header" | "lines">;
export type CustomerField = keyof Content["customer"];
export type HeaderField = keyof Content["header"];
export type LineField = Exclude<keyof LineReply, "line_no">;
export type OrderPath = `customer.${CustomerField}` | `header.${HeaderField}`;
export type LinePath = `lines[${number}].${LineField}`;
export type FieldPath = OrderPath | LinePath;

/** In the order in which the page shows them. */
export const ORDER_PATHS = [
  "customer.name",
  "customer.erp_customer_number",
  "customer.id",
  "header.external_order_number",
  "header.order_date",
  "header.requested_delivery_date",
  "header.currency",
  "header.ship_to",
  "header.notes",
] as const satisfies readonly OrderPath[];

export const LINE_FIELDS = [
  "internal_sku",
  "customer_sku_raw",
  "description",
  "qty",
  "uom",
  "unit_price",
  "currency",
] as const satisfies readonly LineField[];

export function linePath(line: number, field: LineField): LinePath {
  return `lines[${line}].${field}`;
}

const LINE = /^lines\[(\d+)\](?:\.(\w+))?$/;

/** The line and the field of a path into the lines; undefined for any other path. */
export function lineOf(path: string): { line: number; field: string | undefined } | undefined {
  const found = LINE.exec(path);
  return found === null ? undefined : { line: Number(found[1]), field: found[2] };
}

/** The value of one of the order's own fields. */
export function orderValue(content: Content, path: OrderPath): string | null {
  return path.startsWith("customer.")
    ? content.customer[path.slice("customer.".length) as CustomerField]
    : content.header[path.slice("header.".length) as HeaderField];
}
