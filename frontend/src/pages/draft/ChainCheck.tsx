/** Has the server verify the whole chain of the org, for whoever may. */
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, body } from "../../api/client";
import { useMay } from "../../auth/permissions";
import { useFormat } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/ProblemNotice";
import styles from "./DraftDetail.module.css";

export function ChainCheck() {
  const { t } = useTranslation();
  const format = useFormat();
  const may = useMay();
  const check = useMutation({ mutationFn: () => body(api.GET("/audit-log/verify")) });
  if (!may("verifyAudit")) return null;
  const verdict = check.data;
  return (
    <div className={styles.column}>
      <div className={styles.actions}>
        <Button
          onPress={() => {
            check.mutate();
          }}
        >
          {t("history.verify")}
        </Button>
      </div>
      {verdict?.valid === true && (
        <p role="status">
          {t("history.chainHolds", {
            count: verdict.checked,
            checked: format.count(verdict.checked),
            seq: verdict.head_seq,
          })}{" "}
          <code className={styles.hash}>{verdict.head_hash}</code>
        </p>
      )}
      {verdict?.valid === false && (
        <p className="banner danger" role="alert">
          {t("history.chainBroken", {
            seq: verdict.first_bad_seq ?? "",
            problem: verdict.problem ?? "",
          })}
        </p>
      )}
      {check.error !== null && <ProblemNotice error={check.error} />}
    </div>
  );
}
