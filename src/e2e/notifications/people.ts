/** Senders and recipients, most of whom ask again, at another replica, where one has no answer. */
import { setTimeout as sleep } from "node:timers/promises";
import { fingerprint } from "../../audit/fingerprint.ts";
import { parseId } from "../../envelope/tokens.ts";
import { newClaim, type SealedSecret, sealSecret } from "../../testing/sealed-secret.ts";

/** What is to become of a secret. */
export type Fate = "opened" | "deleted" | "expired";

export interface Secret {
  readonly fate: Fate;
  readonly sealed: SealedSecret;
}

export interface People {
  create(fate: Fate, ttl: number): Promise<Secret>;
  /** Opens or deletes it, as is its fate. False where there was no answer and nobody asks again. */
  end(secret: Secret): Promise<boolean>;
  /** From now on every other one who has no answer leaves it at that. */
  loseHeart(): void;
  takeHeart(): void;
  /** What its receipt says has happened and somebody is told of: `opened <fingerprint> <time>`. */
  eventsOf(secret: Secret): Promise<string[]>;
  /** Requests that had no answer. */
  readonly unanswered: () => number;
}

const TOLD = new Set(["opened", "deleted", "expired", "locked", "lost"]);

/** `urls` are of those replicas that are up, as far as anybody knows. */
export function createPeople(urls: () => readonly string[]): People {
  let turn = 0;
  let unanswered = 0;
  let faint = false;

  async function tryOnce(method: string, path: string, bearer: string, body?: object) {
    const all = urls();
    const response = await fetch(`${all[turn++ % all.length]}/api/v1/${path}`, {
      method,
      headers: {
        ...(bearer === "" ? {} : { Authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    if (response && response.status < 500) return response;
    await response?.body?.cancel();
    unanswered++;
    return undefined;
  }

  async function ask(method: string, path: string, bearer: string, body?: object): Promise<Response> {
    for (;;) {
      const response = await tryOnce(method, path, bearer, body);
      if (response) return response;
      await sleep(100);
    }
  }

  return {
    async create(fate, ttl) {
      const sealed = await sealSecret({ ttl });
      const response = await ask("POST", "secrets", "", sealed.body);
      await response.body?.cancel();
      if (response.status !== 201) throw new Error(`A secret was not created: ${response.status}.`);
      return { fate, sealed };
    },
    async end({ fate, sealed }) {
      const body = { access: sealed.access, claim: newClaim() };
      for (;;) {
        const response = await (fate === "opened"
          ? tryOnce("POST", "secret/open", sealed.link, body)
          : tryOnce("DELETE", "receipt/secret", sealed.receipt));
        await response?.body?.cancel();
        // 410: somebody was before us, who had no answer.
        if (response && !response.ok && response.status !== 410)
          throw new Error(`A secret was not ${fate}: ${response.status}.`);
        if (response) return true;
        if (faint && unanswered % 2 === 0) return false;
        await sleep(100);
      }
    },
    loseHeart() {
      faint = true;
    },
    takeHeart() {
      faint = false;
    },
    async eventsOf({ sealed }) {
      const response = await ask("GET", "receipt", sealed.receipt);
      const { events } = (await response.json()) as { events: { at: string; kind: string }[] };
      const id = parseId(sealed.body.id);
      if (!id) throw new TypeError("A secret has an id.");
      return events
        .filter(({ kind }) => TOLD.has(kind))
        .map(({ at, kind }) => `${kind} ${fingerprint(id)} ${new Date(at).toISOString()}`);
    },
    unanswered: () => unanswered,
  };
}
