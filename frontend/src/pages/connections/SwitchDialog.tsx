/** Pauses, resumes or disables a connection, after a question. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ConnectionReply } from "../../api/schema";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { disable, pause, resume } from "./acts";
import { ConnectionProblem } from "./ConnectionProblem";
import { connectionsKey } from "./queries";
import { TextEntry } from "./TextEntry";

export type Turn = "pause" | "resume" | "disable";

const ACTS = { pause, resume, disable: (id: string) => disable(id) } as const;

interface Props {
  readonly connection: ConnectionReply;
  readonly turn: Turn;
  readonly onClose: () => void;
}

export function SwitchDialog({ connection, turn, onClose }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [reason, setReason] = useState("");
  const acting = useMutation({
    mutationFn: () => ACTS[turn](connection.id, reason.trim()),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: connectionsKey });
      onClose();
    },
  });
  return (
    <Dialog
      title={t(`connections.${turn}Title`, { name: connection.name })}
      onClose={onClose}
      closeLabel={t("common.cancel")}
      actions={
        <Button
          variant={turn === "disable" ? "danger" : "primary"}
          isDisabled={turn === "pause" && reason.trim() === ""}
          onPress={() => {
            if (!acting.isPending) acting.mutate();
          }}
        >
          {t(`connections.${turn}`)}
        </Button>
      }
    >
      <p>{t(`connections.${turn}Means`)}</p>
      {turn !== "disable" && (
        <TextEntry
          name="reason"
          label={t("connections.reason")}
          help={t("connections.reasonHint")}
          value={reason}
          required={turn === "pause"}
          rows={2}
          onChange={setReason}
        />
      )}
      {acting.error !== null && <ConnectionProblem error={acting.error} />}
    </Dialog>
  );
}
