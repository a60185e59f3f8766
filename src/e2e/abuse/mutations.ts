import { encodeBase64url } from "../../envelope/base64url.ts";
import { type Draft, otherHeader, wire } from "./grammar.ts";
import type { Random } from "./random.ts";

/** Texts that programs have stumbled over. In latin1, as the wire has them. */
const NASTY = [
  "",
  " ",
  "\0",
  "%00",
  "\x7f",
  "\xff\xfe",
  "\xc0\xaf",
  "\xed\xa0\x80",
  "'",
  '"',
  "\\",
  "../",
  "..%2f",
  "%2e%2e/",
  "%",
  "%zz",
  "%u0000",
  "#{7*7}",
  "{{7*7}}",
  "<script>",
  "-1",
  "0",
  "00",
  "1e309",
  "NaN",
  "Infinity",
  "0x10",
  "9007199254740993",
  "18446744073709551616",
  "99999999999999999999999999",
  "true",
  "null",
  "undefined",
  "[object Object]",
  "__proto__",
  "constructor",
  "toString",
  "\t",
  "#",
  "?",
  "&",
  "=",
  ";",
  ",",
  ":",
  "@",
  "/",
  "//",
  "*",
  "\x1b[2J",
  "\u0085",
  "\xa0",
  "A".repeat(300),
  "%41".repeat(100),
  "/".repeat(200),
];

/** For JSON, where characters beyond latin1 are written as escapes. */
const NASTY_JSON = [
  "null",
  "true",
  "[]",
  "{}",
  '""',
  "0",
  "-0",
  "-1",
  "1e999",
  "0.1",
  "9007199254740993",
  "[[[[]]]]",
  '"\\ud800"',
  '"\\u0000"',
  '"\\udfff\\ud800"',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"toString":1}',
  '"\xff"',
  "'x'",
  "undefined",
  "NaN",
  "/**/1",
  '"a\nb"',
  "1,",
  `"${"A".repeat(2000)}"`,
  "[".repeat(500),
  `{"a":`.repeat(300),
  "\ufeff{}".slice(1),
];

function splice(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const length = random.below(Math.min(8, text.length - at + 1));
  const what = random.pick([
    () => "",
    () => random.pick(NASTY),
    () => random.bytes(1 + random.below(4)).toString("latin1"),
    () => text.slice(at, at + length).repeat(2),
    () => text.slice(0, random.below(30)),
  ])();
  return text.slice(0, at) + what + text.slice(at + length);
}

/** Without control characters, which parsers refuse: those belong to mutations of the framing. */
function inLine(text: string): string {
  return text.replaceAll(/(?!\t)\p{Cc}/gu, "_");
}

function changeJson(random: Random, draft: Draft): void {
  let fields: Record<string, unknown>;
  try {
    fields = Object(JSON.parse(draft.body));
  } catch {
    draft.body = splice(random, draft.body);
    return;
  }
  const names = Object.keys(fields);
  const name = names.length === 0 ? "x" : random.pick(names);
  const written = names.map((one) => {
    const value = JSON.stringify(fields[one]);
    if (one !== name) return `${JSON.stringify(one)}:${value}`;
    return random.pick([
      () => "",
      () => `${JSON.stringify(one)}:${value},${JSON.stringify(one)}:${value}`,
      () => `${JSON.stringify(one)}:${random.pick(NASTY_JSON)}`,
      () => `${random.pick(['"__proto__"', '"constructor"', '""', '"x"', '"\\u0000"'])}:${value}`,
      () => `${JSON.stringify(one)}:${inLine(splice(random, value))}`,
      () =>
        `${JSON.stringify(one)}:"${encodeBase64url(random.bytes(random.pick([0, 1, 15, 16, 17, 31, 32, 33])))}"`,
    ])();
  });
  draft.body = `{${written.filter((one) => one !== "").join(",")}}`;
  if (random.chance(0.1)) draft.body = random.pick(NASTY_JSON);
  if (random.chance(0.1)) draft.body = `[${draft.body}]`;
}

type Mutation = (random: Random, draft: Draft) => void;

/** What leaves the framing of the request whole: its answer is one, and the next request is the next. */
const WITHIN: readonly Mutation[] = [
  (random, draft) => {
    draft.method = random.pick([
      "GET",
      "POST",
      "PUT",
      "DELETE",
      "HEAD",
      "OPTIONS",
      "PATCH",
      "TRACE",
      "M-SEARCH",
      "LOCK",
    ]);
  },
  (random, draft) => {
    draft.target = `/${inLine(splice(random, draft.target))
      .replaceAll(/[^!-~]/g, "_")
      .replace(/^\/+/, "")}`;
  },
  (random, draft) => {
    draft.target = random.pick([
      `/${draft.target}`,
      `${draft.target}/`,
      `${draft.target}?${draft.target}`,
      `${draft.target}#x`,
      draft.target.toUpperCase(),
      draft.target.replace("/", "/%2e/"),
      `/.${draft.target}`,
      `${draft.target}%00`,
      `${draft.target};x=1`,
      `http://localhost${draft.target}`,
      `http://evil.example${draft.target}`,
      draft.target.replaceAll("s", "%73"),
      `${draft.target}?${"a=b&".repeat(200)}`,
      `${draft.target}/${"x/".repeat(300)}`,
    ]);
  },
  (random, draft) => {
    const header = draft.headers[1 + random.below(Math.max(1, draft.headers.length - 1))];
    if (header) header[1] = inLine(splice(random, header[1]));
  },
  (random, draft) => {
    const header = draft.headers[random.below(draft.headers.length)];
    if (header && header[0] !== "Host") draft.headers.push([header[0], header[1]]);
  },
  (random, draft) => {
    if (draft.headers.length > 1) draft.headers.splice(1 + random.below(draft.headers.length - 1), 1);
  },
  (random, draft) => void draft.headers.push(otherHeader(random)),
  (random, draft) => {
    const header = draft.headers[random.below(draft.headers.length)];
    if (header) header[0] = random.pick([header[0].toLowerCase(), header[0].toUpperCase()]);
  },
  (random, draft) => {
    const auth = draft.headers.find(([name]) => name === "Authorization");
    if (!auth) return;
    const flipped = splice(random, auth[1].slice(7));
    auth[1] = inLine(
      random.pick([
        `Bearer ${flipped}`,
        auth[1].toLowerCase(),
        `${auth[1]}=`,
        auth[1].slice(0, -1),
        `${auth[1]} ${auth[1]}`,
        `${auth[1]}A`,
      ]),
    );
  },
  (random, draft) => void (draft.body === "" ? otherHeader(random) : changeJson(random, draft)),
  (random, draft) => {
    draft.body = splice(random, draft.body);
  },
  (random, draft) => {
    if (draft.body !== "") draft.body = draft.body.slice(0, random.below(draft.body.length));
  },
  (random, draft) => {
    if (random.chance(0.02)) draft.body = random.pick(["x", "[", '{"a":', "&", "%"]).repeat(20_000);
  },
];

/** What may end the connection, or leave the server waiting for more: only the last on its connection. */
const FRAMING: readonly ((random: Random, draft: Draft) => string)[] = [
  (random, draft) => splice(random, wire(draft)),
  (random, draft) => splice(random, splice(random, splice(random, wire(draft)))),
  (random, draft) => wire(draft).slice(0, random.below(wire(draft).length)),
  (random, draft) =>
    wire(draft).replace(
      " HTTP/1.1",
      random.pick([" HTTP/1.0", " HTTP/2.0", " HTTP/9.9", " http/1.1", "", " HTTP/1.1 ", "\tHTTP/1.1"]),
    ),
  (random, draft) => wire(draft).replaceAll("\r\n", random.pick(["\n", "\r", "\r\n ", "\r\r\n", "\n\r"])),
  (random, draft) => wire({ ...draft, headers: [...draft.headers, ["Content-Length", random.pick(NASTY)]] }),
  (_random, draft) =>
    wire({ ...draft, headers: [...draft.headers, ["Content-Length", "3"], ["Content-Length", "4"]] }),
  (random, draft) =>
    wire({
      ...draft,
      headers: [
        ...draft.headers,
        [
          "Transfer-Encoding",
          random.pick([
            "chunked",
            "chunked, identity",
            "xchunked",
            "gzip, chunked",
            " chunked",
            "\x0bchunked",
          ]),
        ],
      ],
      body: random.pick([
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        '5;x="\r\nhello\r\n0\r\nX: y\r\n\r\n',
        "-1\r\n",
        "fffffffffffffffff\r\n",
        "5\r\nhell",
        "5 \r\nhello\r\n0\r\n\r\n",
        "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
      ]),
    }),
  (random, draft) =>
    wire({
      ...draft,
      headers: [
        ...draft.headers,
        ["Content-Length", String(random.below(50))],
        ["Transfer-Encoding", "chunked"],
      ],
      body: "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    }),
  (random, draft) => {
    const [name, value] = otherHeader(random);
    const broken = random.pick([
      `${name} : ${value}`,
      `: ${value}`,
      name,
      `${name}: a\r\nInjected: ${value}`,
      ` ${name}: ${value}`,
      `${name}:\0${value}`,
      `${name}\0: x`,
    ]);
    return wire(draft).replace("\r\n", `\r\n${broken}\r\n`);
  },
  (random, draft) =>
    wire({
      ...draft,
      headers: [...draft.headers, ["X-Long", "x".repeat(random.pick([8_000, 16_384, 70_000]))]],
    }),
  (random, draft) =>
    wire({
      ...draft,
      headers: [
        ...draft.headers,
        ...Array.from({ length: random.pick([101, 500, 2001]) }, (_, i): [string, string] => [`X-${i}`, "y"]),
      ],
    }),
  (random, draft) => wire({ ...draft, target: draft.target + "x".repeat(random.pick([5_000, 17_000])) }),
  (_random, draft) => wire({ ...draft, headers: draft.headers.slice(1) }),
  (random, draft) => wire({ ...draft, headers: [["Host", random.pick(NASTY)], ...draft.headers] }),
  (random, draft) =>
    wire({
      ...draft,
      target: random.pick(["*", "", "example.com:443", "x", "//[", "http://", "http://[::1", "\0", "/\xff"]),
      method: random.pick(["GET", "CONNECT", "OPTIONS"]),
    }),
  (random, draft) =>
    wire({
      ...draft,
      method: random.pick(["", "get", "GET\0", "G ET", "\r\n\r\nGET", "GETGETGETGETGETGETGETGETGET", "\xff"]),
    }),
  (random) => random.bytes(1 + random.below(200)).toString("latin1"),
  (random, draft) =>
    wire({
      ...draft,
      headers: [...draft.headers, ["Connection", "Upgrade"], ["Upgrade", random.pick(["websocket", "h2c"])]],
    }) + random.bytes(20).toString("latin1"),
];

export function mutate(random: Random, draft: Draft): string {
  for (let more = random.pick([1, 1, 2, 3]); more > 0; more--) random.pick(WITHIN)(random, draft);
  // What is left of these would change the framing, or end the connection before its turn.
  draft.headers = draft.headers.filter(
    ([name, value]) =>
      !/^(content-length|transfer-encoding|connection|upgrade|expect)$/i.test(name) ||
      (/^expect$/i.test(name) && value === "100-continue" && draft.body !== ""),
  );
  return wire(draft);
}

export function breakFraming(random: Random, draft: Draft): string {
  return random.pick(FRAMING)(random, draft);
}
