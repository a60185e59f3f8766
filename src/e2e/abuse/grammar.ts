import { encodeBase64url } from "../../envelope/base64url.ts";
import type { SealedSecret } from "../../testing/sealed-secret.ts";
import type { Random } from "./random.ts";

/** A request in parts that mutations work on. Everything is latin1: one character is one byte. */
export interface Draft {
  method: string;
  target: string;
  version: string;
  headers: [name: string, value: string][];
  body: string;
}

/** What valid requests are made of. */
export interface Material {
  /** Secrets that may be used up, with everything known of them. */
  readonly spare: readonly SealedSecret[];
  /** Secrets of which only the id is ever sent, with proofs that somebody made up. */
  readonly guarded: readonly SealedSecret[];
  readonly assets: readonly string[];
  /** Of the assisted pages' forms. */
  readonly form: { readonly cookie: string; readonly csrf: string };
  readonly origin: string;
}

const JSON_TYPE: [string, string] = ["Content-Type", "application/json"];
const FORM_TYPE: [string, string] = ["Content-Type", "application/x-www-form-urlencoded"];

/** The id of a secret with a proof that somebody made up, as a link or as a receipt. */
export function guess(random: Random, { link }: SealedSecret, prefix = "wsl_"): string {
  const id = Buffer.from(link.slice(4), "base64url").subarray(0, 16);
  return prefix + Buffer.concat([id, random.bytes(32)]).toString("base64url");
}

function bearer(random: Random, material: Material, kind: "link" | "receipt"): [string, string] {
  const secret = random.pick(material.spare);
  const choice = random.below(10);
  if (choice < 4) return ["Authorization", `Bearer ${secret[kind]}`];
  const prefix = kind === "link" ? "wsl_" : "wsr_";
  if (choice < 7) return ["Authorization", `Bearer ${guess(random, random.pick(material.guarded), prefix)}`];
  if (choice < 8) return ["Authorization", `Bearer ${secret[kind === "link" ? "receipt" : "link"]}`];
  return ["Authorization", `Bearer ${random.pick([prefix, "wsk_"])}${encodeBase64url(random.bytes(48))}`];
}

function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

type Rule = (random: Random, material: Material) => Omit<Draft, "version">;

const get =
  (...targets: string[]): Rule =>
  (random) => ({
    method: random.pick(["GET", "GET", "HEAD"]),
    target: random.pick(targets),
    headers: [],
    body: "",
  });

const withLink =
  (method: string, target: string): Rule =>
  (random, material) => ({ method, target, headers: [bearer(random, material, "link")], body: "" });

const withReceipt =
  (method: string, target: string, body = ""): Rule =>
  (random, material) => ({
    method,
    target,
    headers: [bearer(random, material, "receipt"), ...(body === "" ? [] : [JSON_TYPE])],
    body,
  });

/** Every route that there is, and some that are not. */
export const RULES: Readonly<Record<string, Rule>> = {
  pages: get("/", "/s", "/r", "/assisted", "/assisted/open", "/assisted/receipt"),
  health: get("/healthz", "/readyz", "/robots.txt", "/metrics", "/favicon.ico", "/.well-known/security.txt"),
  asset: (random, { assets }) => ({
    method: random.pick(["GET", "HEAD"]),
    target: `/assets/${random.pick(assets)}`,
    headers: [["Accept-Encoding", random.pick(["gzip", "br", "identity;q=0", "*", "br;q=x, gzip;q=9"])]],
    body: "",
  }),
  create: (random, { spare }) => {
    const { body } = random.pick(spare);
    return { method: "POST", target: "/api/v1/secrets", headers: [JSON_TYPE], body: JSON.stringify(body) };
  },
  state: withLink("GET", "/api/v1/secret"),
  blob: (random, material) => ({
    ...withLink("GET", "/api/v1/secret/blob")(random, material),
    headers: [
      bearer(random, material, "link"),
      ["Range", random.pick(["bytes=0-9", "bytes=-5", "bytes=5-", "bytes=9-1", "items=1-2", "bytes=0-,1-"])],
    ],
  }),
  part: (random, material) => ({
    method: "PUT",
    target: "/api/v1/secret/blob",
    headers: [
      bearer(random, material, "receipt"),
      ["Content-Type", "application/octet-stream"],
      ["Content-Range", random.pick(["bytes 0-15/16", "bytes 5-1/*", "bytes */16", "bytes 0-99999999999/1"])],
    ],
    body: random.bytes(16).toString("latin1"),
  }),
  open: (random, material) => {
    const { access, wrongAccess } = random.pick(material.spare);
    const claim = encodeBase64url(random.bytes(16));
    const fields = random.chance(0.5) ? { access, claim } : { access: wrongAccess };
    return {
      method: "POST",
      target: "/api/v1/secret/open",
      headers: [bearer(random, material, "link"), JSON_TYPE],
      body: JSON.stringify(fields),
    };
  },
  acknowledge: (random, material) => ({
    method: "POST",
    target: "/api/v1/secret/ack",
    headers: [bearer(random, material, "link"), JSON_TYPE],
    body: JSON.stringify({ claim: encodeBase64url(random.bytes(16)) }),
  }),
  receipt: withReceipt("GET", "/api/v1/receipt"),
  // With a made-up receipt only: a stream has no end, and what follows on its connection no turn.
  events: (random, { guarded }) => ({
    method: "GET",
    target: "/api/v1/receipt/events",
    headers: [["Authorization", `Bearer ${guess(random, random.pick(guarded), "wsr_")}`]],
    body: "",
  }),
  destroy: withReceipt("DELETE", "/api/v1/receipt/secret"),
  unlock: withReceipt("POST", "/api/v1/receipt/unlock", "{}"),
  "assisted create": (random, material) => ({
    method: "POST",
    target: "/assisted",
    headers: [["Cookie", material.form.cookie], FORM_TYPE],
    body: form({
      // Without a text, or with a time that is refused, mostly: what is created stays for a minute.
      secret: random.chance(0.98) ? "" : "made by a fuzzer",
      csrf: random.chance(0.8) ? material.form.csrf : encodeBase64url(random.bytes(32)),
      passphrase: random.chance(0.999) ? "" : "x",
      ttl: random.pick(["60", "3600", "0", "-1", "1e9", "NaN"]),
    }),
  }),
  "assisted open": (random, material) => {
    const { linkFragment, receiptFragment } = random.pick(material.spare);
    return {
      method: "POST",
      target: "/assisted/open",
      headers: [["Cookie", material.form.cookie], FORM_TYPE],
      body: form({
        csrf: random.chance(0.8) ? material.form.csrf : encodeBase64url(random.bytes(32)),
        claim: encodeBase64url(random.bytes(16)),
        link: random.pick([linkFragment, receiptFragment, `${material.origin}/s#${linkFragment}x`, "%"]),
        // One of them keeps a core busy for a second.
        passphrase: random.chance(0.9995) ? "" : "wrong",
      }),
    };
  },
  "assisted receipt": (random, material) => {
    const { linkFragment, receiptFragment } = random.pick(material.spare);
    return {
      method: "POST",
      target: "/assisted/receipt",
      headers: [["Cookie", material.form.cookie], FORM_TYPE],
      body: form({
        csrf: random.chance(0.8) ? material.form.csrf : encodeBase64url(random.bytes(32)),
        act: random.pick(["look", "unlock", "delete", ""]),
        receipt: random.pick([
          receiptFragment,
          `${material.origin}/r#${receiptFragment}`,
          guess(random, random.pick(material.guarded), ""),
          linkFragment,
        ]),
        locked: random.pick(["", "0", "NaN", String(Date.now())]),
      }),
    };
  },
  nowhere: (random) => ({
    method: random.pick(["GET", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY"]),
    target: random.pick([
      "/api",
      "/api/v1",
      "/api/v2/secrets",
      "/admin",
      "/../etc/passwd",
      "/s/",
      "/S",
      "//s",
    ]),
    headers: [],
    body: "",
  }),
};

/** Headers that browsers, proxies and programs send besides, with what they may say. */
const OTHER_HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ["Origin", ["null", "https://evil.example", "http://localhost:8080", "file://", "http://[::1"]],
  ["Sec-Fetch-Site", ["same-origin", "cross-site", "none", "same-site", "x"]],
  ["Sec-Fetch-Mode", ["navigate", "cors", "no-cors"]],
  [
    "X-Forwarded-For",
    ["10.0.0.1", "::1, 1.2.3.4", "unknown", "1.2.3.4:80", "2001:db8::/32", ",,,", "fe80::1%eth0"],
  ],
  ["X-Forwarded-Proto", ["https", "http", "https, http", "gopher"]],
  ["X-Forwarded-Host", ["evil.example", "a, b", "[::1]:99999"]],
  ["Forwarded", ['for="[2001:db8::1]:4711";proto=https', "for=_x;;"]],
  ["Accept", ["text/html", "application/json", "*/*;q=0", "text/html;q=2, ;;,", "a/b/c"]],
  ["Accept-Language", ["de", "en;q=0.1, *", "x".repeat(200)]],
  ["Accept-Encoding", ["gzip", "br", "*;q=0", "identity;q=0", ",,"]],
  ["If-Modified-Since", ["Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"]],
  ["If-None-Match", ["*", '"x"', "W/"]],
  ["If-Range", ['"x"', "Thu, 01 Jan 1970 00:00:00 GMT"]],
  ["If-Match", ["*", '"none"']],
  ["Range", ["bytes=0-0", "bytes=-", "bytes=1-2,3-4", "bytes=99999999999999999999-"]],
  ["Expect", ["100-continue", "x"]],
  ["Upgrade", ["websocket", "h2c", "TLS/1.0"]],
  ["Connection", ["keep-alive", "upgrade", "keep-alive, x-request-id"]],
  ["Content-Encoding", ["gzip", "br", "identity", "x"]],
  ["Content-Type", ["text/plain", "multipart/form-data; boundary=", "application/json; charset=utf-7", ";"]],
  ["Cookie", ["a=b", "__Host-waxseal-form=x", "=;=;", `a=${"x".repeat(4000)}`]],
  ["Authorization", ["Basic eDp4", "Bearer", "bearer  x", "Bearer wsl_", "Digest x=1, y"]],
  ["X-HTTP-Method-Override", ["DELETE"]],
  ["X-Request-Id", ["1", "../../x"]],
  ["TE", ["trailers", "chunked"]],
  ["Via", ["1.0 fred, 1.1 p.example"]],
];

/** A valid request for one of the routes, with the length of its body. */
export function draw(random: Random, material: Material): Draft {
  const rule = RULES[random.pick(Object.keys(RULES))];
  if (!rule) throw new Error("There is no such rule.");
  const { method, target, headers, body } = rule(random, material);
  const draft: Draft = {
    method,
    target,
    version: "HTTP/1.1",
    // Copies: mutations write into them.
    headers: [
      ["Host", material.origin.slice("http://".length)],
      ...headers.map(([name, value]): [string, string] => [name, value]),
    ],
    body,
  };
  for (let more = random.below(3); more > 0; more--) draft.headers.push(otherHeader(random));
  return draft;
}

export function otherHeader(random: Random): [string, string] {
  const [name, values] = random.pick(OTHER_HEADERS);
  return [name, random.pick(values)];
}

/** As it goes over the wire. A body gets its length unless a header says something of it already. */
export function wire({ method, target, version, headers, body }: Draft): string {
  const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const all = framed || body === "" ? headers : [...headers, ["Content-Length", String(body.length)]];
  return `${method} ${target} ${version}\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
