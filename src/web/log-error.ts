/** What the log may say of an error. */
export interface DescribedError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  /** Where it was thrown: the frames only, for V8 repeats the message above them. */
  readonly stack?: string;
  readonly cause?: DescribedError;
}

const TOKEN_LIKE = /[A-Za-z0-9_+=-]{16,}/g;
const MAX_DEPTH = 3;

/**
 * Errors quote what they choke on: JSON.parse a piece of the body, Redis the arguments of a command
 * it does not know, ioredis the whole command as a property. So nothing but these five fields is
 * logged, messages of the two are cut, and in any other whatever might be an id, a proof or a key is
 * blanked.
 */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error))
    return { name: typeof error, message: "Something that is no Error was thrown." };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const frames = framesOf(error);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: safeMessage(error),
    ...(frames === "" ? {} : { stack: frames }),
    ...(error.cause === undefined || depth >= MAX_DEPTH
      ? {}
      : { cause: describeError(error.cause, depth + 1) }),
  };
}

function safeMessage({ name, message }: Error): string {
  if (name === "ReplyError") return /^[A-Z]+/.exec(message)?.[0] ?? "a reply that is not an error code";
  if (name === "SyntaxError") return "left out, because it quotes what could not be read";
  return message.replace(TOKEN_LIKE, "…");
}

/** What follows the message, which may have lines that look like frames; nothing where it can't be told apart. */
function framesOf({ stack = "", message }: Error): string {
  const at = stack.indexOf(message);
  if (at < 0) return "";
  const lines = stack.slice(at + message.length).split("\n");
  return lines.filter((line) => /^ {4}at /.test(line)).join("\n");
}
