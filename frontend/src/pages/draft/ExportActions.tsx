/** What can be done to a waiting export: have it tried now, take it back, settle what is unknown. */
import { useState } from "react";
import { RadioButton, RadioField, RadioGroup, Label } from "react-aria-components";
import { useTranslation } from "react-i18next";

import { api, body } from "../../api/client";
import type { ExportReply } from "../../api/schema";
import { useMay } from "../../auth/permissions";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { ReasonField } from "./ReasonField";
import { useAct } from "./useAct";
import styles from "./DraftDetail.module.css";

type Act = "expedite" | "cancel" | "resolve";

export function ExportActions({ export: it }: { readonly export: ExportReply }) {
  const { t } = useTranslation();
  const may = useMay();
  const [open, setOpen] = useState<Act>();
  if (it.status !== "PENDING") return null;
  const offered: readonly Act[] = [
    ...(may("expedite") ? (["expedite"] as const) : []),
    ...(may("cancelExport") && it.cancel_requested_at === null ? (["cancel"] as const) : []),
    ...(may("settleExport") && it.outcome_unknown_since !== null ? (["resolve"] as const) : []),
  ];
  if (offered.length === 0) return null;
  return (
    <div className={styles.actions}>
      {offered.map((act) => (
        <Button
          key={act}
          onPress={() => {
            setOpen(act);
          }}
        >
          {t(`exports.act.${act}`)}
        </Button>
      ))}
      {open !== undefined && (
        <Ask
          export={it}
          act={open}
          onClose={() => {
            setOpen(undefined);
          }}
        />
      )}
    </div>
  );
}

interface AskProps {
  readonly export: ExportReply;
  readonly act: Act;
  readonly onClose: () => void;
}

function Ask({ export: it, act, onClose }: AskProps) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const [delivered, setDelivered] = useState<string | null>(null);
  const { run, busy, error } = useAct(
    it.draft_order_id,
    () => send(it.id, act, reason.trim(), delivered === "yes"),
    onClose,
  );
  const complete = reason.trim() !== "" && (act !== "resolve" || delivered !== null);
  return (
    <Dialog
      title={t(`exports.ask.${act}`)}
      closeLabel={t("common.cancel")}
      onClose={onClose}
      actions={
        <Button
          variant={act === "expedite" ? "primary" : "danger"}
          isDisabled={!complete}
          onPress={() => {
            run(undefined);
          }}
        >
          {busy ? t("act.busy") : t(`exports.act.${act}`)}
        </Button>
      }
    >
      <p>{t(`exports.means.${act}`)}</p>
      {act === "resolve" && (
        <RadioGroup value={delivered} onChange={setDelivered} isRequired>
          <Label>{t("exports.delivered")}</Label>
          {(["yes", "no"] as const).map((each) => (
            <RadioField key={each} value={each}>
              <RadioButton>{t(`exports.deliveredIs.${each}`)}</RadioButton>
            </RadioField>
          ))}
        </RadioGroup>
      )}
      <ReasonField value={reason} onChange={setReason} />
      {error !== null && <ProblemNotice error={error} />}
    </Dialog>
  );
}

function send(id: string, act: Act, reason: string, delivered: boolean): Promise<ExportReply> {
  const params = { path: { id } };
  switch (act) {
    case "expedite":
      return body(api.POST("/erp-exports/{id}/expedite", { params, body: { reason } }));
    case "cancel":
      return body(api.POST("/erp-exports/{id}/cancel", { params, body: { reason } }));
    case "resolve":
      return body(api.POST("/erp-exports/{id}/resolve", { params, body: { delivered, reason } }));
  }
}
