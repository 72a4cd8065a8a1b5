/** Push or push again: through which connection, and for a retry, why. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Label, RadioButton, RadioField, RadioGroup } from "react-aria-components";
import { useTranslation } from "react-i18next";

import type { ConnectionReply, DraftDetailReply } from "../../api/schema";
import { lookup } from "../../i18n/lookup";
import { connectionsQuery } from "../connections/queries";
import { ActDialog } from "./ActDialog";
import { push } from "./acts";
import type { Asked, Operation } from "./intents";
import { ReasonField } from "./ReasonField";
import { Summary } from "./Summary";

interface Props {
  readonly draft: DraftDetailReply;
  readonly operation: Operation;
  /** What was asked before and not answered. */
  readonly asked?: Asked | undefined;
  readonly onClose: (done: boolean) => void;
}

export function PushDialog({ draft, operation, asked, onClose }: Props) {
  const { t } = useTranslation();
  const retry = operation === "retry-push";
  const [reason, setReason] = useState(asked?.reason ?? "");
  const [chosen, setChosen] = useState<string | null>(asked?.erp_connection_id ?? null);
  const active = useActiveConnections();
  const many = (active?.length ?? 0) > 1;
  const error = draft.exports?.[0]?.error;
  return (
    <ActDialog
      draft={draft}
      title={t(retry ? "act.retryTitle" : "act.pushTitle")}
      confirm={t(retry ? "act.retry" : "act.push")}
      complete={(!retry || reason.trim() !== "") && (!many || chosen !== null)}
      act={(version) =>
        push(draft.id, operation, version, {
          ...(chosen === null ? {} : { erp_connection_id: chosen }),
          ...(retry ? { reason: reason.trim() } : {}),
        })
      }
      onClose={onClose}
    >
      <Summary draft={draft} />
      <p>{t(retry ? "act.retryMeans" : "act.pushMeans")}</p>
      {retry && error != null && (
        <p>{t("act.lastError", { error: lookup(t, `exports.error.${error.code}`, error.code) })}</p>
      )}
      {retry && <ReasonField value={reason} onChange={setReason} />}
      {active?.length === 0 && <p className="banner warning">{t("act.noConnection")}</p>}
      {active?.length === 1 && (
        <p className="muted">{t("act.throughOne", { name: active[0]?.name })}</p>
      )}
      {many && (
        <RadioGroup value={chosen} onChange={setChosen} isRequired>
          <Label>{t("act.through")}</Label>
          {active?.map((each) => (
            <RadioField key={each.id} value={each.id}>
              <RadioButton>{each.name}</RadioButton>
            </RadioField>
          ))}
        </RadioGroup>
      )}
    </ActDialog>
  );
}

/** Undefined while nobody knows. */
function useActiveConnections(): readonly ConnectionReply[] | undefined {
  const { data } = useQuery(connectionsQuery);
  return data?.filter((each) => each.status === "ACTIVE");
}
