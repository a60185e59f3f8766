import { once } from "node:events";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** A mail as it came over the wire, and who signed in to send it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly encrypted: boolean;
  readonly raw: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Connections that are open. */
  readonly open: () => number;
  close(): Promise<void>;
}

/** What an SMTP server says instead of yes. */
export function reply(responseCode: number, message = "no"): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** A real SMTP server at 127.0.0.1 that takes everything, but for what `options` says. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1,
    onData(stream, session, done) {
      let raw = "";
      stream.on("data", (chunk: Buffer) => {
        raw += chunk.toString("latin1");
      });
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === "string" ? session.user : undefined,
          encrypted: session.secure,
          raw,
        });
        done();
      });
    },
    ...options,
  });
  // A client that goes away, or does not trust us.
  server.on("error", () => {});
  const listening = server.listen(0, "127.0.0.1");
  if (!listening.listening) await once(listening, "listening");
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return {
    port: address.port,
    mails,
    open: () => server.connections.size,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

const latin1 = (text: string) => Buffer.from(text, "latin1");

function decodeQuoted(text: string): Buffer {
  const joined = text.replace(/=\r\n/g, "");
  return latin1(
    joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}

/** RFC 2047: what `=?UTF-8?Q?…?=` says. White space between two of them is none. */
function decodeWords(text: string): string {
  const joined = text.replace(/(\?=)\s+(?==\?)/g, "$1");
  const bytes = joined.replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how: string, word: string) => {
    const decoded =
      how.toLowerCase() === "b" ? Buffer.from(word, "base64") : decodeQuoted(word.replaceAll("_", " "));
    return decoded.toString("latin1");
  });
  return latin1(bytes).toString("utf8");
}

/** A mail's fields by their names in lower case, each of which may stand there once, and its text. */
export function readMail(raw: string): {
  readonly fields: ReadonlyMap<string, string>;
  readonly text: string;
} {
  const end = raw.indexOf("\r\n\r\n");
  const lines = raw
    .slice(0, end)
    .replace(/\r\n(?=[ \t])/g, "")
    .split("\r\n");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || fields.has(name)) throw new Error(`"${line}" can't stand there.`);
    fields.set(name, decodeWords(line.slice(colon + 1).trim()));
  }
  const body = raw.slice(end + 4);
  const encoding = fields.get("content-transfer-encoding");
  const bytes =
    encoding === "base64"
      ? Buffer.from(body, "base64")
      : encoding === "quoted-printable"
        ? decodeQuoted(body)
        : latin1(body);
  return { fields, text: bytes.toString("utf8").replaceAll("\r\n", "\n") };
}
