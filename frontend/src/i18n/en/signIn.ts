export const signIn = {
  title: "Sign in",
  intro: "The last checkpoint between a draft order and the ERP.",
  withProvider: "Sign in with your organisation",
  development: "This is a development machine: choose who to be.",
  name: "Name",
  org: "Organisation (UUID)",
  orgSlug: "Short name of the organisation",
  role: "Role",
  go: "Sign in",
  none: "No way to sign in is set up. Set COUNTERSIGN_CONSOLE_OIDC_AUTHORITY for the gateway.",
  failed: "The sign-in did not work: {{reason}}",
  expired: "Your sign-in has run out. Sign in again: your page waits as you left it.",
  leaving:
    "If no window opens: sign in here instead. Edits of draft orders are kept; what else you typed is not.",
  here: "Sign in on this page",
};
