/** Where the content of a draft order may be changed; countersign_core.lifecycle has the same. */
import type { DraftStatus } from "../../api/schema";

export const EDITABLE: ReadonlySet<DraftStatus> = new Set([
  "NEW",
  "EXTRACTED",
  "NEEDS_REVIEW",
  "READY",
  "APPROVED",
  "ERROR",
]);
