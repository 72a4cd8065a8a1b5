import { useTranslation } from "react-i18next";

import type { DraftStatus } from "../api/schema";

/** Where a draft stands; never by colour alone. */
export function StatusBadge({ status }: { readonly status: DraftStatus }) {
  const { t } = useTranslation();
  return (
    <span className="status" data-status={status}>
      {t(`common.status.${status}`)}
    </span>
  );
}
