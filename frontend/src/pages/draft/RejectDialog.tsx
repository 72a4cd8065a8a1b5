import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply } from "../../api/schema";
import { ActDialog } from "./ActDialog";
import { reject } from "./acts";
import { ReasonField } from "./ReasonField";
import { Summary } from "./Summary";

interface Props {
  readonly draft: DraftDetailReply;
  readonly onClose: (done: boolean) => void;
}

export function RejectDialog({ draft, onClose }: Props) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <ActDialog
      draft={draft}
      title={t("act.rejectTitle")}
      confirm={t("act.reject")}
      danger
      complete={reason.trim() !== ""}
      act={(version) => reject(draft.id, version, reason.trim())}
      onClose={onClose}
    >
      <Summary draft={draft} />
      <p>{t("act.rejectMeans")}</p>
      <ReasonField value={reason} onChange={setReason} />
    </ActDialog>
  );
}
