/** One event of a stream (HTML, section 9.2). */
export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

export interface EventReader {
  readonly response: Response;
  /** The next event; undefined where the stream ended before it. Signs of life are passed over. */
  next(): Promise<StreamEvent | undefined>;
  /** Signs of life so far. */
  readonly beats: () => number;
  /** Hangs up. */
  close(): void;
}

function parseBlock(block: string): StreamEvent | undefined {
  const fields = new Map(
    block.split("\n").map((line) => {
      const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
  const data = fields.get("data");
  if (data === undefined) return undefined;
  return { event: fields.get("event") ?? "message", id: fields.get("id") ?? "", data: JSON.parse(data) };
}

/** Asks for an event stream and reads it event by event. */
export async function readEvents(url: string, headers: Record<string, string>): Promise<EventReader> {
  const hangUp = new AbortController();
  const response = await fetch(url, { headers, signal: hangUp.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let beats = 0;
  return {
    response,
    beats: () => beats,
    async next() {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end >= 0) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          const event = parseBlock(block);
          if (event) return event;
          if (block.includes(":")) beats++;
          continue;
        }
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done) return undefined;
        text += value;
      }
    },
    close: () => hangUp.abort(),
  };
}
