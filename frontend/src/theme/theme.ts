/** Light or dark: as the system has it, until the person chooses. */
import { createStore } from "../app/store";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "countersign.theme";

export const theme = createStore<Theme>(kept());

export function startTheme(): void {
  show(theme.get());
}

export function changeTheme(next: Theme): void {
  localStorage.setItem(KEY, next);
  theme.set(next);
  show(next);
}

function kept(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((each) => each === value) ?? "system";
}

function show(value: Theme): void {
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}
