/**
 * What can be done to the draft now: the one step that leads on, and the others.
 *
 * Only what the status and the person's role allow is offered; the server decides all the same,
 * and what it refuses is explained in the dialog.
 */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { DraftDetailReply, DraftStatus } from "../../api/schema";
import { type Action, useMay } from "../../auth/permissions";
import { useShortcuts } from "../../keyboard/shortcuts";
import { Button } from "../../ui/Button";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { ActDialog } from "./ActDialog";
import { approve, revoke, validate } from "./acts";
import { ExportPreview } from "./ExportPreview";
import { PushDialog } from "./PushDialog";
import { RejectDialog } from "./RejectDialog";
import { Summary } from "./Summary";
import { Unanswered } from "./Unanswered";
import type { Asked } from "./intents";
import { useAct } from "./useAct";
import styles from "./DraftDetail.module.css";

const OFFERS = [
  { name: "approve", key: "a", may: "approve", when: ["READY"], leads: true },
  { name: "push", key: "p", may: "push", when: ["APPROVED"], leads: true },
  { name: "retry", key: "r", may: "push", when: ["ERROR"], leads: true },
  {
    name: "validate",
    key: "v",
    may: "edit",
    when: ["NEW", "EXTRACTED", "NEEDS_REVIEW", "READY"],
    leads: false,
  },
  { name: "revoke", key: "u", may: "revoke", when: ["APPROVED"], leads: false },
  {
    name: "preview",
    key: "s",
    may: undefined,
    when: ["APPROVED", "PUSHING", "PUSHED", "ERROR"],
    leads: false,
  },
  { name: "reject", key: "x", may: "reject", when: ["NEEDS_REVIEW", "READY"], leads: false },
] as const satisfies readonly Offer[];

interface Offer {
  readonly name: string;
  readonly key: string;
  readonly may: Action | undefined;
  readonly when: readonly DraftStatus[];
  /** Whether it is the step that the status waits for. */
  readonly leads: boolean;
}

type Name = (typeof OFFERS)[number]["name"];

interface Props {
  readonly draft: DraftDetailReply;
  /** More buttons, for example the way into editing. */
  readonly children?: ReactNode;
}

export function DraftActions({ draft, children }: Props) {
  const { t } = useTranslation();
  const may = useMay();
  const [open, setOpen] = useState<Name>();
  const [asked, setAsked] = useState<Asked>();
  const group = useRef<HTMLDivElement>(null);
  const check = useAct(draft.id, () => validate(draft.id));
  const offered = OFFERS.filter(
    ({ may: action, when }) =>
      (when as readonly DraftStatus[]).includes(draft.status) &&
      (action === undefined || may(action)),
  );
  const start = (name: Name) => {
    setAsked(undefined);
    if (name === "validate") check.run(undefined);
    else setOpen(name);
  };
  const close = () => {
    setOpen(undefined);
  };
  const opened = useRef(false);
  useEffect(() => {
    if (open !== undefined) opened.current = true;
    if (open !== undefined || !opened.current) return;
    // The button that opened the dialog may be gone with the status. A frame later the dialog is
    // gone, and in that one the library has given the focus back.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        if (document.activeElement === document.body) group.current?.focus({ preventScroll: true });
      });
    });
    return () => {
      cancelAnimationFrame(frame);
    };
  }, [open, draft.status]);
  useShortcuts(
    offered.map(({ name, key }) => ({
      key,
      label: t(`act.${name}`),
      run: () => {
        start(name);
      },
    })),
  );
  return (
    <>
      <div
        ref={group}
        role="group"
        aria-label={t("act.actions")}
        tabIndex={-1}
        className={styles.actions}
      >
        {offered.map(({ name, key, leads }) => (
          <Button
            key={name}
            variant={leads ? "primary" : "plain"}
            aria-keyshortcuts={key}
            onPress={() => {
              start(name);
            }}
          >
            {t(`act.${name}`)}
          </Button>
        ))}
        {children}
      </div>
      {check.error !== null && <ProblemNotice error={check.error} />}
      <Unanswered
        draft={draft}
        onAsk={(intent) => {
          setAsked(intent.asked);
          setOpen(intent.operation === "push" ? "push" : "retry");
        }}
      />
      {open !== undefined && <Open name={open} draft={draft} asked={asked} onClose={close} />}
    </>
  );
}

interface OpenProps {
  readonly name: Name;
  readonly draft: DraftDetailReply;
  readonly asked: Asked | undefined;
  readonly onClose: () => void;
}

function Open({ name, draft, asked, onClose }: OpenProps) {
  const { t } = useTranslation();
  const common = { draft, onClose };
  switch (name) {
    case "approve":
      return (
        <ActDialog
          {...common}
          title={t("act.approveTitle")}
          confirm={t("act.approve")}
          act={(version) => approve(draft.id, version)}
        >
          <Summary draft={draft} />
          <p>{t("act.approveMeans")}</p>
        </ActDialog>
      );
    case "revoke":
      return (
        <ActDialog
          {...common}
          title={t("act.revokeTitle")}
          confirm={t("act.revoke")}
          act={(version) => revoke(draft.id, version)}
        >
          <Summary draft={draft} />
          <p>{t("act.revokeMeans")}</p>
        </ActDialog>
      );
    case "push":
      return <PushDialog {...common} operation="push" asked={asked} />;
    case "retry":
      return <PushDialog {...common} operation="retry-push" asked={asked} />;
    case "reject":
      return <RejectDialog {...common} />;
    case "preview":
      return <ExportPreview {...common} />;
    case "validate":
      return null;
  }
}
