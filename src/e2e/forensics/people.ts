import { randomBytes } from "node:crypto";
import { ask } from "../../testing/every-flow.ts";
import { newClaim, type SealedSecret, sealSecret } from "../../testing/sealed-secret.ts";
import { MAX_INLINE_BLOB } from "../../web/create-secret.ts";
import type { Marker } from "./markers.ts";

/** A secret that somebody made, and how its recipient opens it. */
export interface MadeSecret {
  readonly markers: readonly Marker[];
  /** Opens it, and says that it has arrived where that is asked for. Throws where it can't be read. */
  open(): Promise<void>;
}

const bytesOf = (text: string) => Buffer.from(text, "base64url");
/** Letters and digits only, so that nothing on the way has a reason to spell it differently. */
const randomWord = (length: number) => randomBytes(length).toString("hex").slice(0, length);

async function expectStatus(response: Response, status: number): Promise<Response> {
  if (response.status === status) return response;
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}

function post(url: string, path: string, body: object, bearer?: string): Promise<Response> {
  return ask(`${url}/api/v1/${path}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify(body),
  });
}

function putBlob(url: string, { blob, receipt }: SealedSecret): Promise<Response> {
  return ask(`${url}/api/v1/secret/blob`, {
    method: "PUT",
    headers: {
      Authorization: `Bearer ${receipt}`,
      "Content-Type": "application/octet-stream",
      "Content-Range": `bytes 0-${blob.length - 1}/${blob.length}`,
    },
    body: Buffer.from(blob),
  });
}

async function openByScript(url: string, { body, link, access }: SealedSecret, acknowledge: boolean) {
  await expectStatus(
    await ask(`${url}/api/v1/secret/blob`, { headers: { Authorization: `Bearer ${link}` } }),
    200,
  );
  const claim = newClaim();
  const opened = await expectStatus(await post(url, "secret/open", { access, claim }, link), 200);
  const { share } = (await opened.json()) as { share: string };
  if (share !== body.share) throw new Error("Another share was handed over.");
  if (acknowledge) await expectStatus(await post(url, "secret/ack", { claim }, link), 204);
}

/** As the page's script does it: sealed by the sender, so that the server never sees what is inside. */
export async function makeByScript(
  url: string,
  secret: number,
  { acknowledge = true, length = 700 } = {},
): Promise<MadeSecret> {
  const sealed = await sealSecret({ text: randomWord(length) });
  const { blob, ...announced } = sealed.body;
  if (sealed.blob.length <= MAX_INLINE_BLOB) await expectStatus(await post(url, "secrets", sealed.body), 201);
  else {
    await expectStatus(await post(url, "secrets", announced), 201);
    await expectStatus(await putBlob(url, sealed), 200);
  }
  return {
    markers: [
      { kind: acknowledge ? "share" : "share, not acknowledged", secret, bytes: bytesOf(sealed.body.share) },
      { kind: "ciphertext", secret: acknowledge ? secret : secret + 1000, bytes: sealed.blob.slice(64, 128) },
    ],
    open: () => openByScript(url, sealed, acknowledge),
  };
}

const fieldIn = (html: string, name: string) =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? "";

/** A form that has a claim in it may be sent twice; one that encrypts would make a second secret. */
async function sendForm(address: string, fields: Record<string, string>): Promise<string> {
  const page = await ask(address);
  const html = await page.text();
  const cookie = page.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const tokens = { csrf: fieldIn(html, "csrf"), claim: fieldIn(html, "claim") };
  const body = new URLSearchParams({ ...tokens, ...fields });
  const send = tokens.claim === "" ? fetch : ask;
  const answer = await send(address, { method: "POST", headers: { Cookie: cookie }, body });
  return (await expectStatus(answer, 200)).text();
}

/** As somebody without script does it: the server seals and opens. */
export async function makeByForm(url: string, secret: number): Promise<MadeSecret> {
  const [plaintext, passphrase] = [randomWord(48), randomWord(32)];
  const page = await sendForm(`${url}/assisted`, { secret: plaintext, passphrase, ttl: "3600" });
  const fragment = /\/s#([\w-]{48})/.exec(page)?.[1] ?? "";
  return {
    markers: [
      { kind: "plaintext", secret, bytes: Buffer.from(plaintext) },
      { kind: "passphrase", secret, bytes: Buffer.from(passphrase) },
      { kind: "link key", secret, bytes: bytesOf(fragment).subarray(1, 33) },
    ],
    async open() {
      const opened = await sendForm(`${url}/assisted/open`, { link: `${url}/s#${fragment}`, passphrase });
      if (!opened.includes(plaintext)) throw new Error("The page does not show the secret.");
    },
  };
}

/** What a server does all day, so that memory which was given back is given out again. */
export async function churn(url: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const length = round % 20 === 0 ? 500_000 : round % 5 === 0 ? 20_000 : 700;
    const { open } = await makeByScript(url, 0, { length });
    await open();
    await (await fetch(`${url}/`)).text();
  }
}
