/** A failure as a sentence in the person's language. */
import type { TFunction } from "i18next";

import { Problem, ServerAwayError } from "../api/problem";
import type { ProblemReply } from "../api/schema";
import type { texts } from "./en";

type Code = Exclude<keyof typeof texts.problems, "serverAway" | "requestId" | "unknown">;

export function explain(t: TFunction, error: unknown): string {
  if (error instanceof ServerAwayError) return t("problems.serverAway");
  if (error instanceof Problem) return explainProblem(t, error.document);
  return error instanceof Error ? error.message : String(error);
}

/** The same for a problem document inside an answer, as batches have them. */
export function explainProblem(t: TFunction, problem: Partial<ProblemReply>): string {
  const detail = problem.detail ?? problem.title ?? "";
  if (!isKnown(t, problem.code)) return t("problems.unknown", { detail });
  return t(`problems.${problem.code}`, {
    detail,
    current: status(t, problem.current),
    allowed: (problem.allowed ?? []).map((each) => status(t, each)).join(", "),
    roles: (problem.allowed_roles ?? []).join(", "),
  });
}

function isKnown(t: TFunction, code: string | undefined): code is Code {
  const exists = t as unknown as (key: string, options: object) => string;
  return code !== undefined && exists(`problems.${code}`, { defaultValue: "" }) !== "";
}

function status(t: TFunction, value: string | undefined): string {
  const look = t as unknown as (key: string, options: object) => string;
  return value === undefined ? "" : look(`common.status.${value}`, { defaultValue: value });
}
