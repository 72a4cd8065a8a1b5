import type { drafts as en } from "../en/drafts";

export const drafts: typeof en = {
  title: "Auftragsentwürfe",
  all: "Alle",
  reference: "Referenz",
  customer: "Kunde",
  orderNumber: "Bestellnummer",
  orderDate: "Bestellt",
  value: "Wert",
  lines: "Positionen",
  status: "Status",
  updated: "Geändert",
  table: "Auftragsentwürfe, neueste zuerst",
  empty: "Kein Auftragsentwurf passt.",
  nextPage: "Nächste Seite",
  firstPage: "Erste Seite",
};
