import type { signIn as en } from "../en/signIn";

export const signIn: typeof en = {
  title: "Anmelden",
  intro: "Die letzte Prüfung zwischen Auftragsentwurf und ERP.",
  withProvider: "Mit Ihrer Organisation anmelden",
  development: "Dies ist ein Entwicklungsrechner: Wählen Sie, wer Sie sind.",
  name: "Name",
  org: "Organisation (UUID)",
  orgSlug: "Kurzname der Organisation",
  role: "Rolle",
  go: "Anmelden",
  none: "Es ist keine Anmeldung eingerichtet. Setzen Sie COUNTERSIGN_CONSOLE_OIDC_AUTHORITY am Gateway.",
  failed: "Die Anmeldung ist fehlgeschlagen: {{reason}}",
  expired:
    "Ihre Anmeldung ist abgelaufen. Melden Sie sich erneut an: Ihre Seite wartet so, wie Sie sie verlassen haben.",
  leaving:
    "Falls sich kein Fenster öffnet: Melden Sie sich hier an. Änderungen an Auftragsentwürfen bleiben erhalten, andere Eingaben nicht.",
  here: "Auf dieser Seite anmelden",
};
