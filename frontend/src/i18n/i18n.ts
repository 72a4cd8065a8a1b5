/** The console's language: the person's choice, else the browser's, else English. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import type { texts as english } from "./en";

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "countersign.language";
const load = {
  en: () => import("./en"),
  de: () => import("./de"),
} satisfies Record<Language, () => Promise<{ texts: typeof english }>>;

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof english };
    returnNull: false;
  }
}

/** Loads the language's texts; to be awaited before anything is drawn. */
export async function startI18n(language = preferredLanguage()): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: (await load[language]()).texts } },
    // React escapes.
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = language;
}

export async function changeLanguage(language: Language): Promise<void> {
  i18next.addResourceBundle(language, "translation", (await load[language]()).texts);
  localStorage.setItem(KEY, language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export function preferredLanguage(): Language {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages];
  return wanted.map((each) => each?.slice(0, 2)).find(isLanguage) ?? "en";
}

/** The locale for dates and numbers: the browser's own one of this language, if it has one. */
export function localeOf(language: string): string {
  return (
    navigator.languages.find((each) => each.startsWith(`${language}-`)) ??
    FALLBACK[language] ??
    language
  );
}

const FALLBACK: Record<string, string> = { en: "en-GB", de: "de-DE" };

function isLanguage(value: string | undefined): value is Language {
  return (LANGUAGES as readonly (string | undefined)[]).includes(value);
}
