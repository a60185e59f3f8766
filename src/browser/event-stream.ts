/** One event of a stream that was read by hand, as EventSource can't send a token in a header. */
export interface StreamEvent {
  readonly id: string;
  readonly data: string;
}

/** Takes a stream's text as it comes and gives out its events (HTML, section 9.2.6, as far as our server uses it). */
export function createEventParser(take: (event: StreamEvent) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
        }),
      );
      const data = fields.get("data");
      if (data !== undefined) take({ id: fields.get("id") ?? "", data });
    }
  };
}
