import type { keyboard as en } from "../en/keyboard";

export const keyboard: typeof en = {
  title: "Tastenkürzel",
  open: "Tastenkürzel (?)",
  enabled: "Kürzel mit einer Taste",
  help: "Diese Hilfe zeigen",
  search: "Suchen",
  next: "Nächste Zeile",
  previous: "Vorherige Zeile",
  select: "Zeile auswählen",
  openRow: "Zeile öffnen",
};
