import { request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { newClaim, type SealedSecret, sealSecret } from "./sealed-secret.ts";

/** What must never be seen again: by name, as bytes. */
export type Needles = Map<string, Uint8Array>;

const bytesOf = (text: string) => Buffer.from(text, "base64url");

/** Keeps every part of the secret that only its two sides may know. */
export function rememberSecret(needles: Needles, name: string, secret: SealedSecret): void {
  const { body, linkFragment, receipt, link, text, passphrase, access, wrongAccess } = secret;
  const parts = {
    id: bytesOf(body.id),
    key: bytesOf(linkFragment).subarray(1, 33),
    "link proof": bytesOf(link.slice(4)).subarray(16),
    "receipt token": bytesOf(receipt.slice(4)).subarray(16),
    "access proof": bytesOf(access),
    "wrong access proof": bytesOf(wrongAccess),
    share: bytesOf(body.share),
    "link digest": bytesOf(body.linkHash),
    "access digest": bytesOf(body.accessHash),
    "receipt digest": bytesOf(body.receiptHash),
    "start of the ciphertext": bytesOf(body.blob).subarray(64, 96),
    text: Buffer.from(text),
    ...(passphrase === "" ? {} : { passphrase: Buffer.from(passphrase) }),
  };
  for (const [part, bytes] of Object.entries(parts)) needles.set(`${name}: ${part}`, bytes);
}

/** A body that stops halfway, as a lost connection does. */
function sendHalf(url: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    const headers = { "Content-Type": "application/json", "Content-Length": text.length * 2 };
    const half = request(url, { method: "POST", headers });
    half.on("error", () => resolve());
    half.write(text, () => half.destroy());
    half.on("close", () => resolve());
  });
}

/**
 * As a client that asks again while the store is too slow for its patience, for ten seconds. All that is
 * done here and by others may be done twice; a form that encrypts makes another secret of the same text.
 */
export async function ask(address: string, init?: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await fetch(address, init);
    if (answer.status !== 503 || tries === 40) return answer;
    await answer.arrayBuffer();
    await setTimeout(250);
  }
}

/** The form's token, the cookie that belongs to it, and the form's own claim. */
async function readForm(address: string) {
  const answer = await ask(address);
  const html = await answer.text();
  const fieldIn = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? "";
  return {
    cookie: answer.headers.get("Set-Cookie")?.split(";")[0] ?? "",
    csrf: fieldIn("csrf"),
    claim: fieldIn("claim"),
  };
}

async function sendForm(address: string, fields: Record<string, string>): Promise<string> {
  const { cookie, csrf, claim } = await readForm(address);
  const body = new URLSearchParams({ csrf, claim, ...fields });
  return (await ask(address, { method: "POST", headers: { Cookie: cookie }, body })).text();
}

/** Looks, unlocks and deletes on the assisted receipt of what is locked, each as its page's button would. */
async function driveAssistedReceipt(url: string, receipt: string): Promise<void> {
  const lockIn = (page: string) => /name="locked" value="([^"]*)"/.exec(page)?.[1] ?? "";
  let page = await sendForm(`${url}/assisted/open`, { link: receipt });
  for (const [act, heading] of [
    ["look", "Locked"],
    ["unlock", "Sealed"],
    ["delete", "Deleted"],
  ] as const) {
    page = await sendForm(`${url}/assisted/receipt`, { act, receipt, locked: lockIn(page) });
    if (!page.includes(`<h1>${heading}</h1>`)) throw new Error(`The assisted receipt did not ${act}.`);
  }
}

/**
 * Does with a running service all that can be done with it, rightly and wrongly, tokens in addresses
 * and in bodies that are no JSON included, and returns everything that ought to have stayed private.
 */
export async function driveEveryFlow(url: string): Promise<Needles> {
  const needles: Needles = new Map();
  const api = `${url}/api/v1`;
  const send = async (method: string, path: string, bearer?: string, body?: unknown, headers = {}) => {
    const answer = await ask(`${api}/${path}`, {
      method,
      headers: {
        ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const make = async (name: string, passphrase = "") => {
    const secret = await sealSecret({ text: `The text of ${name}, which is nobody's business`, passphrase });
    rememberSecret(needles, name, secret);
    return secret;
  };
  const claimFor = (name: string) => {
    const claim = newClaim();
    needles.set(`${name}: claim`, bytesOf(claim));
    return claim;
  };

  const opened = await make("opened");
  const claim = claimFor("opened");
  for (let i = 0; i < 2; i++) await send("POST", "secrets", undefined, opened.body);
  await send("POST", "secrets", undefined, { ...opened.body, ttl: 61 });
  await send("GET", "secret", opened.link);
  await send("GET", "secret/blob", opened.link);
  for (let i = 0; i < 2; i++)
    await send("POST", "secret/open", opened.link, { access: opened.access, claim });
  await send("POST", "secret/ack", opened.link, { claim: claimFor("another") });
  await send("POST", "secret/ack", opened.link, { claim });
  await send("POST", "secret/open", opened.link, { access: opened.access });
  await send("GET", "receipt", opened.receipt);
  await send("DELETE", "receipt/secret", opened.receipt);

  const locked = await make("locked", "a passphrase told by phone");
  await send("POST", "secrets", undefined, locked.body);
  for (let i = 0; i < 12; i++) await send("POST", "secret/open", locked.link, { access: locked.wrongAccess });
  await send("POST", "receipt/unlock", locked.receipt, {});
  await send("DELETE", "receipt/secret", locked.receipt);
  await send("POST", "receipt/unlock", locked.receipt);

  const unknown = await make("unknown");
  for (let i = 0; i < 35; i++) await send("GET", "secret", unknown.link);
  for (const [method, path, bearer] of [
    ["GET", "receipt", unknown.receipt],
    ["GET", "secret", unknown.receipt],
    ["GET", "secret", `${unknown.link}=`],
    ["GET", `secret?token=${unknown.link}`, undefined],
    ["GET", `secret/${unknown.linkFragment}`, unknown.link],
    ["DELETE", `receipt/${unknown.receiptFragment}%zz`, undefined],
  ] as const) {
    await send(method, path, bearer);
  }
  for (const page of [
    `s/${unknown.linkFragment}`,
    `assets/${unknown.linkFragment}.js`,
    `s?${unknown.linkFragment}`,
  ]) {
    await (await fetch(`${url}/${page}`, { headers: { Accept: "text/html", Referer: unknown.link } })).text();
  }

  const refused = await make("refused", "another passphrase");
  const text = JSON.stringify(refused.body);
  for (const body of [
    { ...refused.body, ttl: refused.access },
    { ...refused.body, [refused.link]: refused.text },
    { ...refused.body, blob: unknown.body.blob },
    text.slice(0, -1),
    `${refused.text} ${refused.link}`,
    `["${refused.passphrase}"]`,
    text + " ".repeat(8_000_000),
  ]) {
    await send("POST", "secrets", undefined, body);
  }
  await send("POST", "secrets", undefined, refused.body, { "Sec-Fetch-Site": "cross-site" });
  await send("POST", "secrets", undefined, text, { "Content-Type": `text/${refused.access}` });
  await send("POST", "secrets", undefined, text, { "Content-Encoding": "gzip" });
  await send("POST", "secret/open", refused.link, { access: refused.text, claim: refused.link });
  await sendHalf(`${api}/secrets`, text);

  const assisted = { secret: "Text sent for the server to encrypt", passphrase: "assisted passphrase" };
  const page = await sendForm(`${url}/assisted`, { ...assisted, ttl: "3600" });
  const fragment = /\/s#([\w-]+)/.exec(page)?.[1] ?? "";
  const receipt = /\/r#([\w-]+)/.exec(page)?.[1] ?? "";
  if (fragment === "" || receipt === "") throw new Error("The assisted page made no link.");
  needles.set("assisted: text", Buffer.from(assisted.secret));
  needles.set("assisted: passphrase", Buffer.from(assisted.passphrase));
  needles.set("assisted: key", bytesOf(fragment).subarray(1, 33));
  needles.set("assisted: id", bytesOf(receipt).subarray(0, 16));
  needles.set("assisted: receipt token", bytesOf(receipt).subarray(16));
  const link = `${url}/s#${fragment}`;
  await sendForm(`${url}/assisted/open`, { link, passphrase: "wrong assisted passphrase" });
  await sendForm(`${url}/assisted/open`, { link: `${link}x`, passphrase: assisted.passphrase });
  const shown = await sendForm(`${url}/assisted/open`, { link, passphrase: assisted.passphrase });
  if (!shown.includes(assisted.secret)) throw new Error("The assisted page opened nothing.");
  await sendForm(`${url}/assisted/open`, { link: `${url}/r#${receipt}` });
  for (const act of ["look", "unlock", "delete"]) {
    for (const sent of [`${url}/r#${receipt}`, `${receipt}x`, link])
      await sendForm(`${url}/assisted/receipt`, { act, receipt: sent });
  }
  const kept = await make("kept", "a passphrase on paper");
  await send("POST", "secrets", undefined, kept.body);
  for (let i = 0; i < 10; i++) await send("POST", "secret/open", kept.link, { access: kept.wrongAccess });
  await driveAssistedReceipt(url, `${url}/r#${kept.receiptFragment}`);
  await (await fetch(`${url}/assisted`, { method: "POST", body: new URLSearchParams(assisted) })).text();
  return needles;
}

/** Every way in which these bytes may stand in a text: as they are, hex, and base64 at any alignment. */
export function spellings(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), buffer]).toString("base64url");
    // The first and the last characters also hold bits of whatever stands around.
    return encoded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((buffer.length + shift) * 8) / 6));
  });
  return [
    buffer.toString("utf8"),
    buffer.toString("latin1"),
    encodeURIComponent(buffer.toString("utf8")),
    new URLSearchParams([[buffer.toString("utf8"), ""]]).toString().slice(0, -1),
    buffer.toString("hex"),
    buffer.toString("hex").toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("-", "+").replaceAll("_", "/")),
  ];
}

/** The names of all needles that stand in the text. */
export function findNeedles(text: string, needles: Needles): string[] {
  return [...needles]
    .filter(([, bytes]) =>
      spellings(bytes).some((spelling) => spelling.length >= 8 && text.includes(spelling)),
    )
    .map(([name]) => name);
}
