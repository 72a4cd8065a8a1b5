/** What a connection test found, step by step. */
import { useTranslation } from "react-i18next";

import type { ConnectionTestReply } from "../../api/schema";
import { useFormat } from "../../i18n/format";
import { failureLabel, stepLabel } from "./labels";
import styles from "./Connections.module.css";

const NOTICEABLE_MILLISECONDS = 2_000;

interface Props {
  readonly result: ConnectionTestReply;
  readonly at: string | null;
}

export function TestResult({ result, at }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const off = Math.round(result.clock_difference_ms / 1000);
  return (
    <>
      <p>
        <span className={`status ${(result.ok ? styles.good : styles.bad) ?? ""}`}>
          {t(result.ok ? "connections.passed" : "connections.notPassed")}
        </span>{" "}
        {at !== null && <span className="muted">{format.moment(at)}</span>}
      </p>
      {!result.ok && (
        <p className="banner danger">
          <strong>{failureLabel(t, result.failure ?? "")}</strong> {result.message}
          {result.failure !== null && (
            <small>
              <code>{result.failure}</code>
            </small>
          )}
        </p>
      )}
      <ol className={styles.steps} aria-label={t("connections.steps")}>
        {result.steps.map((step) => (
          <li key={step.name} data-ok={step.ok}>
            <span className={styles.mark}>
              {t(step.ok ? "connections.stepOk" : "connections.stepFailed")}
            </span>{" "}
            {stepLabel(t, step.name)}{" "}
            <span className="muted">
              {step.detail}{" "}
              {t("connections.took", { milliseconds: format.count(Math.round(step.duration_ms)) })}
            </span>
          </li>
        ))}
      </ol>
      {Math.abs(result.clock_difference_ms) >= NOTICEABLE_MILLISECONDS && (
        <p>{t("connections.clock", { seconds: format.count(off) })}</p>
      )}
    </>
  );
}
