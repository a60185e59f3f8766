import { AUDIT_MEMBERS } from "./record.ts";

type Members = Readonly<Record<string, unknown>>;

/** Where Docker's json-file driver, most collectors and journald put what a program wrote. */
const WRAPPINGS = ["log", "message", "MESSAGE", "msg"];

/** Whether an object's text, which is JSON, has an audit member twice. */
function saysTwice(json: string): boolean {
  const said = new Set<string>();
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token.endsWith(":")) {
      const name: string = JSON.parse(token.slice(0, -1));
      if (said.has(name) && AUDIT_MEMBERS.includes(name)) return true;
      said.add(name);
    }
  }
  return false;
}

function parseObject(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    // We would read the last of the two and find it right, where a person or another program reads the first.
    return saysTwice(text) ? { ...value, seq: undefined } : { ...value };
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
