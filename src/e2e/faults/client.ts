/** A small client of the rig's own. It knows the HTTP interface and writes down every call. */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { newClaim, type SealedSecret, sealSecret } from "../../testing/sealed-secret.ts";
import type { Call, History } from "./history.ts";

/** Milliseconds until a person gives up on a request: longer than a frozen master stands still. */
const PATIENCE = 45_000;
/** Milliseconds between two tries. */
const AGAIN = 150;

export interface Secret {
  readonly name: string;
  readonly sealed: SealedSecret;
}

/** Asks for the URL of an app anew each time: it may have been replaced. */
export type App = () => string;

export interface Client {
  makeSecrets(count: number): Promise<Secret[]>;
  create(secret: Secret, app: App): Promise<Call>;
  /** Tries again until it is acknowledged. */
  createSurely(secret: Secret, app: App): Promise<void>;
  open(secret: Secret, claim: string, app: App, probe?: true): Promise<Call>;
  /**
   * Tries again with the same claim until the answer says what became of it, as a browser does. `first`
   * is a try that was made before: who was told then does not ask again.
   */
  openUntilKnown(secret: Secret, claim: string, app: App, first?: Call): Promise<Call>;
  /** The sender looks at the receipt, once. */
  look(secret: Secret, app: App): Promise<Call>;
  /** Reads the receipt, then opens with a fresh claim; both until they are answered. */
  probe(secret: Secret, app: App): Promise<void>;
}

const digest = (share: string) => createHash("sha256").update(share).digest("base64url").slice(0, 12);
/** Tokens stay out of the history: it may be shown to others. */
const nameOf = (claim: string) => digest(claim);

const isKnown = ({ answer }: Call) => typeof answer === "number" && answer < 500 && answer !== 429;

export function createClient(history: History, deadline: number): Client {
  async function call(
    about: Pick<Call, "op" | "secret" | "reader" | "share" | "probe">,
    method: string,
    url: string,
    bearer: string,
    body?: object,
  ): Promise<Call> {
    const start = performance.now();
    let seen: Pick<Call, "answer" | "state" | "share">;
    try {
      const response = await fetch(url, {
        method,
        headers: {
          ...(bearer === "" ? {} : { Authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const told = (await response.json()) as { state?: string; share?: string };
      seen = {
        answer: response.status,
        ...(told.state === undefined ? {} : { state: told.state }),
        ...(told.share === undefined ? {} : { share: digest(told.share) }),
      };
    } catch (error) {
      seen = { answer: error instanceof Error && error.name === "TimeoutError" ? "none" : "broken" };
    }
    const made: Call = { ...about, start, end: performance.now(), ...seen };
    history.add(made);
    return made;
  }

  async function again(act: () => Promise<Call>, until: (call: Call) => boolean): Promise<Call> {
    for (;;) {
      const made = await act();
      if (until(made)) return made;
      if (performance.now() > deadline) throw new Error(`No answer to ${made.op} before the episode's end.`);
      await sleep(AGAIN);
    }
  }

  const readReceipt = ({ name, sealed }: Secret, app: App, more: Pick<Call, "probe">) =>
    call({ op: "receipt", secret: name, ...more }, "GET", `${app()}/api/v1/receipt`, sealed.receipt);

  const client: Client = {
    makeSecrets: (count) =>
      Promise.all(
        Array.from({ length: count }, async () => ({
          name: randomBytes(6).toString("base64url"),
          sealed: await sealSecret(),
        })),
      ),
    create: ({ name, sealed }, app) =>
      call(
        { op: "create", secret: name, share: digest(sealed.body.share) },
        "POST",
        `${app()}/api/v1/secrets`,
        "",
        sealed.body,
      ),
    async createSurely(secret, app) {
      await again(
        () => client.create(secret, app),
        ({ answer }) => answer === 201,
      );
    },
    open: ({ name, sealed }, claim, app, probe) =>
      call(
        { op: "open", secret: name, reader: nameOf(claim), ...(probe ? { probe } : {}) },
        "POST",
        `${app()}/api/v1/secret/open`,
        sealed.link,
        { access: sealed.access, claim },
      ),
    openUntilKnown: async (secret, claim, app, first) =>
      first && isKnown(first) ? first : again(() => client.open(secret, claim, app), isKnown),
    look: (secret, app) => readReceipt(secret, app, {}),
    async probe(secret, app) {
      await again(() => readReceipt(secret, app, { probe: true }), isKnown);
      const claim = newClaim();
      await again(() => client.open(secret, claim, app, true), isKnown);
    },
  };
  return client;
}
