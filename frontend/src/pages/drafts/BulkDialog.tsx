/** Approve or push many: first who is eligible and why the others are not, then a result for each. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ProgressBar } from "react-aria-components";
import { useTranslation } from "react-i18next";

import { newKey } from "../../api/idempotencyKey";
import { useStore } from "../../app/store";
import { session } from "../../auth/session";
import { announce } from "../../ui/announce";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Loading } from "../../ui/Loading";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { connectionsQuery } from "../connections/queries";
import { BulkPreview } from "./BulkPreview";
import { BulkResults } from "./BulkResults";
import { type Result, run } from "./bulk";
import { type Act, sorted } from "./eligibility";
import { type Row, policyQuery } from "./queries";

interface Props {
  readonly act: Act;
  readonly rows: readonly Row[];
  readonly onClose: () => void;
  /** Everything was tried. */
  readonly onDone: () => void;
}

export default function BulkDialog({ act, rows, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const around = useCircumstances(act);
  const [connection, setConnection] = useState<string>();
  const bulk = useBulk(act, onDone);
  const preview = around.known && sorted(act, rows, around.known);
  const chosen = connection ?? (around.connections.length > 1 ? undefined : null);
  const ready = preview !== undefined && preview.eligible.length > 0 && chosen !== undefined;
  const confirm = ready && bulk.state === "asking" && (
    <Button
      variant="primary"
      onPress={() => {
        bulk.start(preview.eligible, chosen);
      }}
    >
      {t(`drafts.bulk.confirm.${act}`, { count: preview.eligible.length })}
    </Button>
  );
  return (
    <Dialog
      title={t(`drafts.bulk.title.${act}`)}
      wide
      // What runs goes on; the dialog stays to say how it went.
      onClose={bulk.state === "running" ? () => undefined : onClose}
      actions={confirm}
      closeLabel={bulk.state === "asking" ? t("common.cancel") : t("common.close")}
    >
      {around.error !== null && <ProblemNotice error={around.error} />}
      {bulk.state === "asking" &&
        (preview === undefined ? (
          around.error === null && <Loading />
        ) : (
          <BulkPreview
            act={act}
            preview={preview}
            connections={around.connections}
            connection={connection}
            onConnection={setConnection}
          />
        ))}
      {bulk.state === "running" && (
        <ProgressBar
          aria-label={t("drafts.bulk.running")}
          value={bulk.results.length}
          maxValue={bulk.total}
        >
          {({ valueText }) => <p>{t("drafts.bulk.progress", { done: valueText ?? "" })}</p>}
        </ProgressBar>
      )}
      {bulk.state === "done" && <BulkResults results={bulk.results} />}
    </Dialog>
  );
}

/** What decides who is eligible; fresh, not as some page remembers it. */
function useCircumstances(act: Act) {
  const subject = useStore(session.identity)?.subject ?? "";
  const policy = useQuery({ ...policyQuery, staleTime: 0 });
  const connections = useQuery({ ...connectionsQuery, staleTime: 0, enabled: act === "push" });
  const active = (connections.data ?? []).filter((each) => each.status === "ACTIVE");
  const isKnown =
    policy.data !== undefined && (act === "approve" || connections.data !== undefined);
  return {
    error: policy.error ?? connections.error,
    connections: active,
    known: isKnown
      ? {
          subject,
          fourEyesAbove: policy.data.four_eyes_above,
          hasConnection: act === "approve" || active.length > 0,
        }
      : undefined,
  };
}

/** One run: asked for, on its way, done. */
function useBulk(act: Act, onDone: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [state, setState] = useState<"asking" | "running" | "done">("asking");
  const [total, setTotal] = useState(0);
  const [results, setResults] = useState<readonly Result[]>([]);
  // One name for the intent, however often the button is pressed.
  const [key] = useState(newKey);
  async function start(rows: readonly Row[], connectionId: string | null): Promise<void> {
    setState("running");
    setTotal(rows.length);
    const all: Result[] = [];
    await run({ act, rows, connectionId, key }, (some) => {
      all.push(...some);
      setResults([...all]);
    });
    setState("done");
    const well = all.filter((each) => !("problem" in each) && !("failure" in each)).length;
    announce(t("drafts.bulk.summary", { well, others: all.length - well }));
    onDone();
    await queries.invalidateQueries({ queryKey: ["drafts"] });
  }
  return {
    state,
    total,
    results,
    start: (rows: readonly Row[], connectionId: string | null) => {
      if (state === "asking") void start(rows, connectionId);
    },
  };
}
