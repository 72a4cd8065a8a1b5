import type { problems as en } from "../en/problems";

export const problems: typeof en = {
  serverAway: "Der Server antwortet nicht.",
  requestId: "Anfrage {{id}}",
  unknown: "{{detail}}",
  UNAUTHENTICATED: "Ihre Anmeldung ist abgelaufen.",
  ROLE_REQUIRED: "Ihre Rolle erlaubt das nicht. Erlaubt: {{roles}}.",
  FOUR_EYES_REQUIRED: "Eine zweite Person ist nötig: {{detail}}",
  DRAFT_NOT_FOUND: "Diesen Auftragsentwurf gibt es nicht.",
  WRONG_STATE: "Der Auftragsentwurf ist {{current}}; nötig wäre {{allowed}}.",
  ALREADY_APPROVED: "Der Auftragsentwurf ist bereits freigegeben.",
  EXPORT_EXISTS: "Eine Übertragung dieses Entwurfs läuft oder ist abgeschlossen.",
  EXPORT_ALREADY_SUCCEEDED: "Die Übertragung war bereits erfolgreich.",
  OUTCOME_UNKNOWN: "Es ist noch nicht bekannt, ob die Datei das ERP erreicht hat.",
  VERSION_MISMATCH: "Jemand hat diesen Entwurf geändert, seit Sie ihn gesehen haben.",
  NO_ACTIVE_CONNECTION: "Es gibt keine aktive ERP-Verbindung.",
  CONNECTION_AMBIGUOUS: "Es gibt mehrere ERP-Verbindungen; wählen Sie eine.",
  RATE_LIMITED: "Zu viele Anfragen; versuchen Sie es gleich wieder.",
  UNAVAILABLE: "Ein Teil des Systems antwortet nicht; versuchen Sie es gleich wieder.",
  DEADLINE_EXCEEDED: "Die Antwort kam nicht rechtzeitig; die Aktion kann noch wirksam werden.",
  INTERNAL: "Auf dem Server ist etwas schiefgegangen.",
};
