/** Many attempts that a rule refuses, and what is left of the secrets afterwards. */
import type { RefusalReason, Store } from "../../store/store.ts";
import { newClaim, type SealedSecret, sealSecret } from "../../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../../testing/test-app.ts";

/** What became of the secrets that one reason refused. */
export interface Outcome {
  readonly reason: RefusalReason;
  readonly attempts: number;
  /** Answered with this reason. */
  readonly refused: number;
  /** Secrets that were not sealed any more, or had lost a passphrase try. */
  readonly usedUp: number;
  /** Secrets whose receipt says that somebody was refused, and why. */
  readonly noted: number;
  readonly secrets: number;
  /** Whose share then came out whole from an allowed place. */
  readonly opened: number;
}

export interface Plan {
  /** For each reason. */
  readonly secrets: number;
  /** For each secret, all at once. */
  readonly attempts: number;
}

const ALLOWED = "198.51.100.7";
const REFUSED = ["203.0.113.9", "2001:db8::9", "::ffff:203.0.113.9", "not-an-address"] as const;
const countryOf = (address: string) => (address === ALLOWED ? "DE" : undefined);
/** At 2026-01-02 03:04:05 UTC, where the app's clock stands until it is put an hour ahead. */
const RULES = {
  network: { networks: ["198.51.100.0/24"] },
  country: { countries: ["AT", "DE"] },
  "not-yet": { notBefore: "2026-01-02T04:00:00Z" },
  hours: { hours: { zone: "Europe/Berlin", days: [5], from: "05:00", to: "17:00" } },
} as const satisfies Record<RefusalReason, object>;

const GENEROUS = {
  RATE_LIMIT_CREATE: "1000000/1m",
  RATE_LIMIT_OPEN: "1000000/1m",
  RATE_LIMIT_MISS: "1000000/1m",
};

export function createAccessApp(store?: Store): TestApp {
  const env = { ...GENEROUS, TRUST_PROXY: "1", GEOIP_DB: "/countries.mmdb" };
  return createTestApp({ env, countryOf, ...(store ? { store } : {}) });
}

async function ask(url: string, path: string, bearer: string, address: string, body?: object) {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      Authorization: `Bearer ${bearer}`,
      "X-Forwarded-For": address,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, answer };
}

/** With wrong passphrases among them, and with and without a claim. */
async function tryToOpen(url: string, secret: SealedSecret, count: number, from: readonly string[]) {
  const asked = Array.from({ length: count }, (_, i) => {
    const access = i % 3 === 0 ? secret.wrongAccess : secret.access;
    const body = i % 2 === 0 ? { access } : { access, claim: newClaim() };
    return ask(url, "secret/open", secret.link, from[i % from.length] ?? "", body);
  });
  return Promise.all(asked);
}

async function refuseAll(app: TestApp, url: string, reason: RefusalReason, plan: Plan) {
  const secrets: SealedSecret[] = [];
  const counts = { refused: 0, usedUp: 0, noted: 0 };
  // Neither time nor hours depend on the place, so these are refused to an allowed one too.
  const from = reason === "network" || reason === "country" ? REFUSED : [ALLOWED, ...REFUSED];
  for (let i = 0; i < plan.secrets; i++) {
    const passphrase = i % 2 === 0 ? "rosebud" : "";
    const secret = await sealSecret({ passphrase, rules: RULES[reason], ttl: 7200 });
    await app.create(secret);
    secrets.push(secret);
    for (const { status, answer } of await tryToOpen(url, secret, plan.attempts, from)) {
      if (status === 403 && answer.code === "refused" && answer.reason === reason) counts.refused += 1;
    }
    const { answer: before } = await ask(url, "receipt", secret.receipt, ALLOWED);
    const kinds = before.events as { kind: string; reason?: string }[];
    if (before.state !== "sealed" || (passphrase && before.triesLeft !== 10)) counts.usedUp += 1;
    if (kinds.some((event) => event.kind === "refused" && event.reason === reason)) counts.noted += 1;
  }
  return { secrets, ...counts };
}

/** All reasons on one app, first the attempts, then an hour later the openings. */
export async function refuseMany(app: TestApp, plan: Plan): Promise<Outcome[]> {
  return app.listening(async (url) => {
    const tried = [];
    for (const reason of Object.keys(RULES) as RefusalReason[]) {
      tried.push({ reason, ...(await refuseAll(app, url, reason, plan)) });
    }
    app.advance(3600);
    const outcomes: Outcome[] = [];
    for (const { secrets, ...counts } of tried) {
      let opened = 0;
      for (const { link, access, body } of secrets) {
        const { answer } = await ask(url, "secret/open", link, ALLOWED, { access });
        if (answer.share === body.share) opened += 1;
      }
      const attempts = secrets.length * plan.attempts;
      outcomes.push({ ...counts, attempts, secrets: secrets.length, opened });
    }
    return outcomes;
  });
}
