/** What a field is called, by its path; a path that is no field stands for itself. */
import type { TFunction } from "i18next";

import { lookup } from "../../i18n/lookup";
import { lineOf } from "./content";

export function fieldLabel(t: TFunction, path: string): string {
  const place = lineOf(path);
  if (place === undefined) return lookup(t, `draft.field.${path}`, path);
  if (place.field === undefined) return t("draft.issue.line", { line: place.line });
  const field = lookup(t, `draft.field.line.${place.field}`, place.field);
  return t("draft.lineField", { field, line: place.line });
}
