/** Senders and recipients, who ask again, at another replica, where one has no answer. */
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
  open(secret: Secret): Promise<void>;
  remove(secret: Secret): Promise<void>;
  /** What its receipt says has happened and somebody is told of: `opened <fingerprint> <time>`. */
  eventsOf(secret: Secret): Promise<string[]>;
  /** Requests that had no answer, or none that says what became of it. */
  readonly unanswered: () => number;
}

const TOLD = new Set(["opened", "deleted", "expired", "locked", "lost"]);

/** `urls` are of those replicas that are up, as far as anybody knows. */
export function createPeople(urls: () => readonly string[]): People {
  let turn = 0;
  let unanswered = 0;

  async function ask(method: string, path: string, bearer: string, body?: object): Promise<Response> {
    for (;;) {
      const all = urls();
      const url = all[turn++ % all.length];
      const response = await fetch(`${url}/api/v1/${path}`, {
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
    async open({ sealed }) {
      const claim = newClaim();
      const response = await ask("POST", "secret/open", sealed.link, { access: sealed.access, claim });
      await response.body?.cancel();
      if (response.status !== 200) throw new Error(`A secret was not opened: ${response.status}.`);
    },
    async remove({ sealed }) {
      const response = await ask("DELETE", "receipt/secret", sealed.receipt);
      await response.body?.cancel();
      if (!response.ok) throw new Error(`A secret was not deleted: ${response.status}.`);
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
