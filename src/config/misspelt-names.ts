import { type Environment, knownNames } from "./environment.ts";

/** Ordinary variables that happen to be close to one of ours. */
const ordinary = new Set([
  // OpenSSL's and Go's trust store: two letters from TLS_CERT_FILE.
  "SSL_CERT_FILE",
  "SSL_KEY_FILE",
]);

/** What settings were called before. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["EMBEDDED_MAX_BYTES", "STORE_BUDGET"],
  ["REDIS_REPLICAS", "REDIS_WAIT_REPLICAS"],
]);

/**
 * What Kubernetes sets in every pod for each service of the namespace: a service called waxseal gives
 * WAXSEAL_SERVICE_HOST, WAXSEAL_PORT=tcp://…, WAXSEAL_PORT_8080_TCP_ADDR and more.
 */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name) ||
    /_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

/**
 * One problem for each variable that was probably meant as a setting: a setting that is silently
 * ignored is an operator who believes in a limit that is not there. Values are never looked at, except
 * to recognise Kubernetes' own, and never repeated.
 */
export function findMisspeltNames(environment: Environment): string[] {
  const known = knownNames();
  const problems: string[] = [];
  for (const [name, value = ""] of Object.entries(environment)) {
    if (value.trim() === "" || known.has(name) || ordinary.has(name) || isServiceLink(name, value)) continue;
    const meant = guess(name, known);
    if (meant !== undefined) {
      problems.push(`${name} is not a setting. Probably ${meant} is meant: rename or remove it.`);
    } else if (known.has(name.replace(/_FILE$/, ""))) {
      problems.push(
        `${name} is not read, since ${name.replace(/_FILE$/, "")} holds no secret. Set that one instead.`,
      );
    } else if (/^waxseal_/i.test(name)) {
      problems.push(
        `${name} is not a setting. Remove it; the README lists every setting under "Configuration".`,
      );
    }
  }
  return problems;
}

function guess(name: string, known: ReadonlySet<string>): string | undefined {
  const upper = name.toUpperCase();
  const prefixed = upper.startsWith("WAXSEAL_");
  const bare = prefixed ? upper.slice("WAXSEAL_".length) : upper;
  const now = renamed.get(bare);
  if (now !== undefined) return now;
  // "port" and "host" in lower case are too ordinary to be ours.
  if (known.has(bare) && (prefixed || bare.length > 5)) return bare;
  if (known.has(`${bare}_FILE`)) return `${bare}_FILE`;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    // Behind our own prefix a guess can only help; elsewhere PATH is not a misspelt PORT.
    const long = candidate.length > 8 ? 2 : candidate.length > 5 ? 1 : -1;
    const allowed = prefixed ? Math.min(3, Math.floor(candidate.length / 3)) : long;
    if (Math.abs(bare.length - candidate.length) > allowed) continue;
    const distance = editDistance(bare, candidate);
    if (distance <= allowed && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** Levenshtein's distance: insertions, deletions and replacements, one each. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
