import type { PropsWithChildren } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";

import { Button } from "./Button";

type Props = PropsWithChildren<{
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  /** Buttons beside "Close". */
  readonly actions?: React.ReactNode;
  readonly closeLabel?: string;
}>;

/** A dialog over the page. Rendered means open; Escape and a click outside close it. */
export function Dialog({ title, onClose, wide = false, actions, closeLabel, children }: Props) {
  const { t } = useTranslation();
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className={`react-aria-Modal ${wide ? "wide" : ""}`}>
        <AriaDialog>
          <Heading slot="title">{title}</Heading>
          {children}
          <div className="dialog-actions">
            <Button onPress={onClose}>{closeLabel ?? t("common.close")}</Button>
            {actions}
          </div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
