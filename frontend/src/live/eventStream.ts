/**
 * Server-sent events over fetch: EventSource cannot send a token.
 *
 * Comes back after every end with the id of the last event that was seen, so that nothing is
 * missed. A stream that is silent for too long is given up: heartbeats come every 15 seconds.
 */
import { session } from "../auth/session";
import { type ServerEvent, SseParser } from "./sseParser";

export interface Listener {
  /** The stream is open; everything from `since` on will come. */
  opened(): void;
  happened(event: ServerEvent): void;
  /** The stream is gone; it will be opened again. */
  lost(): void;
}

const SILENCE_MILLISECONDS = 40_000;
/** Until the server says how long to wait. */
const PAUSE_MILLISECONDS = 2_000;

/** Listens until `signal` is aborted. */
export async function listen(url: string, listener: Listener, signal: AbortSignal): Promise<void> {
  let lastId = "";
  let pause = PAUSE_MILLISECONDS;
  for (;;) {
    const parser = new SseParser();
    try {
      const reader = await open(url, lastId, signal);
      listener.opened();
      for await (const text of reader) {
        for (const event of parser.feed(text)) {
          lastId = event.id;
          listener.happened(event);
        }
      }
    } catch (error) {
      // A place that the server no longer knows: from now on, then.
      if (error instanceof RefusedError && error.status === 400) lastId = "";
      if (error instanceof RefusedError && error.status === 401) session.expire();
    }
    if (signal.aborted) return;
    listener.lost();
    pause = parser.retryMilliseconds ?? pause;
    // Not all at once, when a server comes back to everybody.
    await passed(pause * (0.5 + Math.random()), signal);
  }
}

class RefusedError extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
  }
}

async function open(
  url: string,
  lastId: string,
  outer: AbortSignal,
): Promise<AsyncGenerator<string>> {
  const silence = new AbortController();
  const signal = AbortSignal.any([outer, silence.signal]);
  const headers = new Headers({ Authorization: `Bearer ${session.token() ?? ""}` });
  if (lastId !== "") headers.set("Last-Event-ID", lastId);
  const response = await fetch(url, { headers, signal, cache: "no-store" });
  if (!response.ok || response.body === null) throw new RefusedError(response.status);
  return chunks(response.body, silence);
}

async function* chunks(
  stream: ReadableStream<Uint8Array>,
  silence: AbortController,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (;;) {
    const timer = setTimeout(() => {
      silence.abort();
    }, SILENCE_MILLISECONDS);
    try {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    } finally {
      clearTimeout(timer);
    }
  }
}

async function passed(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
