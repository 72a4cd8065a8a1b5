/** Server-sent events out of chunks of text, as the HTML standard reads them. */
export interface ServerEvent {
  /** "" before the first id. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export class SseParser {
  /** How long to wait before coming back, in milliseconds, as the server asked. */
  retryMilliseconds: number | undefined;
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];

  /** The events that are complete with `chunk`. */
  feed(chunk: string): ServerEvent[] {
    // A chunk may end between the two characters of a line's end; then the next one shows.
    const text = this.#rest + chunk;
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + text.slice(whole.length);
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ServerEvent[] {
    if (line === "") return this.#end();
    if (line.startsWith(":")) return [];
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id" && !value.includes("\0")) this.#id = value;
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    if (field === "retry" && /^\d+$/.test(value)) this.retryMilliseconds = Number(value);
    return [];
  }

  #end(): ServerEvent[] {
    const [data, event] = [this.#data, this.#event];
    this.#data = [];
    this.#event = "";
    if (data.length === 0) return [];
    return [{ id: this.#id, event: event === "" ? "message" : event, data: data.join("\n") }];
  }
}
