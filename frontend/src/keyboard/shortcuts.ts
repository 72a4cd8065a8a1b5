/**
 * Single-key shortcuts: a page names its own with `useShortcuts`, one listener serves them all.
 *
 * They keep still while someone types, while a dialog is open, and when the person switched them
 * off (WCAG 2.1.4).
 */
import { useEffect, useRef } from "react";

import { createStore } from "../app/store";

export interface Shortcut {
  /** As in KeyboardEvent.key, for example "j" or "/". */
  readonly key: string;
  /** What it does, in the person's language; listed in the help. */
  readonly label: string;
  readonly run: () => void;
  /** False while the action is not possible. */
  readonly enabled?: boolean;
}

const KEY = "countersign.shortcuts";

/** Whether single-key shortcuts are on. */
export const shortcutsOn = createStore(localStorage.getItem(KEY) !== "off");

export function switchShortcuts(on: boolean): void {
  localStorage.setItem(KEY, on ? "on" : "off");
  shortcutsOn.set(on);
}

const shelves = new Set<{ current: readonly Shortcut[] }>();

/** Offers `shortcuts` for as long as the component is there. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const shelf = useRef(shortcuts);
  useEffect(() => {
    shelf.current = shortcuts;
  });
  useEffect(() => {
    shelves.add(shelf);
    return () => {
      shelves.delete(shelf);
    };
  }, []);
}

/** Everything that can be pressed now; the newest component comes last. */
export function offeredShortcuts(): readonly Shortcut[] {
  return [...shelves].flatMap((shelf) => shelf.current);
}

/** Serves key presses until the returned function is called. */
export function listenForShortcuts(): () => void {
  document.addEventListener("keydown", pressed);
  return () => {
    document.removeEventListener("keydown", pressed);
  };
}

function pressed(event: KeyboardEvent): void {
  if (!shortcutsOn.get() || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || document.querySelector('[role="dialog"],[role="alertdialog"]'))
    return;
  const found = offeredShortcuts().findLast((each) => each.key === event.key);
  if (found === undefined || found.enabled === false) return;
  event.preventDefault();
  found.run();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest(
      'input:not([type="checkbox"],[type="radio"]),textarea,select,[contenteditable]',
    ) !== null
  );
}
