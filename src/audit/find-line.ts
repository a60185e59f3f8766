type Members = Readonly<Record<string, unknown>>;

/** Where Docker's json-file driver, most collectors and journald put what a program wrote. */
const WRAPPINGS = ["log", "message", "MESSAGE", "msg"];

function parseObject(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a line of a log says in JSON where it is an audit line: by itself, after a prefix (a time, a
 * container's name, a syslog header), or wrapped once into another JSON object. Undefined otherwise.
 */
export function findLine(text: string): Members | undefined {
  if (!text.includes("audit")) return undefined;
  const start = text.indexOf("{");
  const members = start === -1 ? undefined : parseObject(text.slice(start));
  if (members === undefined || typeof members.audit === "string") return members;
  for (const name of WRAPPINGS) {
    const inner = members[name];
    const wrapped = typeof inner === "string" && inner.includes("{") ? findLine(inner) : undefined;
    if (wrapped !== undefined) return wrapped;
  }
  return undefined;
}
