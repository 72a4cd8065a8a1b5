import { useStore } from "../app/store";
import { announcement } from "./announce";

/** Where announcements stand; rendered once. */
export function Announcements() {
  return (
    <div className="visually-hidden" role="log" aria-live="polite">
      {useStore(announcement)}
    </div>
  );
}
