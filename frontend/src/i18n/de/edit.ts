import type { edit as en } from "../en/edit";

export const edit: typeof en = {
  bar: "Ungespeicherte Änderungen",
  save: "Speichern",
  drop: "Änderungen verwerfen",
  dropTitle: "Ihre Änderungen verwerfen?",
  goOn: "Weiter bearbeiten",
  count_zero: "Noch nichts geändert",
  count_one: "Eine Änderung",
  count_other: "{{count}} Änderungen",
  revokes: "Dieser Auftrag ist freigegeben. Speichern nimmt die Freigabe zurück.",
  incomplete: "Berichtigen Sie zuerst die markierten Felder.",
  addLine: "Position hinzufügen",
  removeLine: "Position {{line}} entfernen",
  fault: {
    decimal: "Schreiben Sie eine Zahl mit Komma, ohne Zeichen zwischen den Tausendern.",
    currency: "Schreiben Sie die drei Buchstaben nach ISO 4217.",
  },
  both_one: "Sie beide haben ein Feld geändert. Welcher Wert soll gelten?",
  both_other: "Sie beide haben {{count}} Felder geändert. Welche Werte sollen gelten?",
  mine: "Ihrer: {{value}}",
  theirs: "Der andere: {{value}}",
  nothingLost:
    "Ihre Änderungen bleiben. Sie werden auf den jetzigen Stand gesetzt und gespeichert, wenn Sie es sagen.",
  reapply: "Meine Änderungen auf Version {{version}} setzen",
};
