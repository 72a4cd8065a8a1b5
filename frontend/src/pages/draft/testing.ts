/** Contents for unit tests. */
import type { LineReply } from "../../api/schema";
import type { Content } from "./content";

export function line(line_no: number, changes: Partial<LineReply> = {}): LineReply {
  return {
    line_no,
    internal_sku: "23256",
    qty: "2",
    uom: "ST",
    unit_price: "4.15",
    currency: null,
    customer_sku_raw: null,
    description: "CUTLERY",
    ...changes,
  };
}

export function content(changes: Partial<Content> = {}): Content {
  return {
    customer: { id: null, erp_customer_number: "12923", name: "Spaceboy" },
    header: {
      external_order_number: "PO-1",
      order_date: "2026-11-02",
      currency: "GBP",
      requested_delivery_date: null,
      notes: null,
      ship_to: null,
    },
    lines: [line(1)],
    ...changes,
  };
}
