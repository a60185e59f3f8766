import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { RequestListener, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { WebhookConfig } from "../config/webhooks.ts";
import { makeCertificates } from "../testing/certificates.ts";
import { freePort } from "../testing/free-port.ts";
import { type HookReceiverOptions, type Received, startHookReceiver } from "../testing/hook-receiver.ts";
import { until } from "../testing/until.ts";
import { DeliveryError } from "./channel.ts";
import type { NotifyEvent } from "./event.ts";
import type { Resolve } from "./reachable.ts";
import { signWebhook } from "./sign-webhook.ts";
import { createWebhookChannel, parseRetryAfter, type WebhookOptions } from "./webhook.ts";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const event: NotifyEvent = {
  kind: "opened",
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  secret: "0123456789abcdef",
  label: "Database",
  address: "203.0.113.9",
};
const never = new AbortController().signal;
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

async function receiver(answer?: RequestListener, options?: HookReceiverOptions) {
  const started = await startHookReceiver(answer, options);
  cleanUps.push(() => started.close());
  return started;
}

function webhook(url: string, more: Partial<WebhookConfig> = {}): WebhookConfig {
  return { name: "ops", url, format: "standard", secret, events: ["opened"], headers: {}, ...more };
}

type More = Partial<Omit<WebhookOptions, "webhook">>;
const channel = (config: WebhookConfig, more: More = {}) =>
  createWebhookChannel({ webhook: config, allowed: ["127.0.0.1"], addresses: false, ...more });

const deliver = (config: WebhookConfig, { signal = never, ...more }: More & { signal?: AbortSignal } = {}) =>
  channel(config, more).deliver(event, "msg_1", 1, signal);

async function failureOf(promise: Promise<void>): Promise<DeliveryError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DeliveryError, `${error}`);
  return error;
}

const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(code, headers).end("x");

const at127: Resolve = async () => [{ address: "127.0.0.1", family: 4 }];

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "waxseal-hooks-"));
  cleanUps.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** What Standard Webhooks tells a receiver to compute, by other means than ours. */
function signatureByOpenssl(whsec: string, { headers, body }: Received): string {
  const key = Buffer.from(whsec.replace("whsec_", ""), "base64").toString("hex");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const args = ["dgst", "-sha256", "-mac", "HMAC", "-macopt", `hexkey:${key}`, "-binary"];
  return `v1,${execFileSync("openssl", args, { input: signed }).toString("base64")}`;
}

describe("A webhook's signature", () => {
  it("is the one that the libraries of Standard Webhooks test themselves with", () => {
    const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
    const signature = signWebhook(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}');
    assert.equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("is fresh in each attempt, over the same id and body, and what a receiver computes", async () => {
    const { port, received } = await receiver();
    let now = 1_700_000_000_999;
    const ops = channel(webhook(`http://127.0.0.1:${port}/hook?x=1`), { clock: () => now });
    for (const attempt of [1, 2]) {
      await ops.deliver(event, "msg_abc", attempt, never);
      now += 60_000;
    }
    const [first, second] = received;
    assert.ok(first && second);
    for (const each of [first, second]) {
      assert.equal(each.method, "POST");
      assert.equal(each.path, "/hook?x=1");
      assert.equal(each.headers["webhook-id"], "msg_abc");
      assert.equal(each.headers["webhook-signature"], signatureByOpenssl(secret, each));
    }
    assert.deepEqual(
      received.map(({ headers }) => headers["webhook-timestamp"]),
      ["1700000000", "1700000060"],
    );
    assert.equal(first.body, second.body);
    assert.notEqual(first.headers["webhook-signature"], second.headers["webhook-signature"]);
  });
});

describe("Delivering to a webhook", () => {
  it("wants the events that its entry names", () => {
    const ops = channel(webhook("https://h.example/", { events: ["locked", "lost"] }));
    assert.equal(ops.name, "webhook-ops");
    assert.deepEqual([ops.wants({ ...event, kind: "lost" }), ops.wants(event)], [true, false]);
  });

  it("shows addresses only where the operator allows it, and a sender's mail address never", async () => {
    const { port, received } = await receiver();
    const config = webhook(`http://127.0.0.1:${port}/`);
    const withMail = { ...event, email: "a@example.com" };
    for (const addresses of [false, true])
      await channel(config, { addresses }).deliver(withMail, "msg_1", 1, never);
    const [hidden, shown] = received.map(({ body }) => JSON.parse(body));
    const data = { secret: "0123456789abcdef", label: "Database" };
    assert.deepEqual(hidden, { type: "secret.opened", timestamp: "2026-01-02T03:04:05.678Z", data });
    assert.deepEqual(shown.data, { ...data, address: "203.0.113.9" });
  });

  it("sends the headers of its entry, and ours win", async () => {
    const { port, received } = await receiver();
    const headers = { Authorization: "Bearer x", "content-type": "text/html" };
    await deliver(webhook(`http://127.0.0.1:${port}/`, { format: "slack", secret: undefined, headers }));
    const [only] = received;
    assert.equal(only?.headers.authorization, "Bearer x");
    assert.equal(only?.headers["content-type"], "application/json");
    assert.equal(only?.headers["webhook-signature"], undefined);
    assert.equal(only?.headers["webhook-id"], "msg_1");
  });

  it("counts every 2xx as delivered", async () => {
    for (const code of [200, 201, 202, 204, 299]) {
      const { port } = await receiver(status(code));
      await deliver(webhook(`http://127.0.0.1:${port}/`));
    }
  });

  it("tries again after 408, 425, 429 and 5xx, and gives up on other 4xx", async () => {
    const temporary = [408, 425, 429, 500, 502, 503, 504, 599];
    for (const code of [...temporary, 400, 401, 403, 404, 410, 422, 451]) {
      const { port } = await receiver(status(code));
      const { permanent, message } = await failureOf(deliver(webhook(`http://127.0.0.1:${port}/`)));
      assert.equal(permanent, !temporary.includes(code), String(code));
      assert.match(message, new RegExp(`^Webhook ops answered ${code}\\.`));
    }
  });

  it("follows no redirect, and says that it was one", async () => {
    const elsewhere = await receiver();
    for (const code of [300, 301, 302, 303, 307, 308]) {
      const { port } = await receiver(status(code, { Location: `http://127.0.0.1:${elsewhere.port}/` }));
      const { permanent, message } = await failureOf(deliver(webhook(`http://127.0.0.1:${port}/`)));
      assert.equal(permanent, true);
      assert.match(message, /a redirect, which is not followed\. Write the address that it leads to/);
      assert.ok(!message.includes(String(elsewhere.port)));
    }
    assert.equal(elsewhere.connections().all, 0);
  });

  it("waits as long as it is asked to, up to an hour", async () => {
    const now = Date.UTC(2026, 0, 1);
    const date = (seconds: number) => new Date(now + seconds * 1000).toUTCString();
    for (const [text, seconds] of [
      ["120", 120],
      ["0", 0],
      ["86400", 3600],
      ["99999999999999999999", 3600],
      [date(90), 90],
      [date(-90), 0],
      [date(90_000), 3600],
      ["soon", undefined],
      ["-5", undefined],
      ["", undefined],
    ] as const)
      assert.equal(parseRetryAfter(text, now), seconds, text);
    const { port } = await receiver(status(503, { "Retry-After": "7" }));
    assert.equal((await failureOf(deliver(webhook(`http://127.0.0.1:${port}/`)))).retryAfter, 7);
    const without = await receiver(status(503));
    const failure = await failureOf(deliver(webhook(`http://127.0.0.1:${without.port}/`)));
    assert.equal(failure.retryAfter, undefined);
  });

  it("gives up an attempt when its time is over, whether nobody answers or nobody resolves", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const silent = await receiver(() => controller.abort());
    const stalled = await failureOf(deliver(webhook(`http://127.0.0.1:${silent.port}/`), { signal }));
    assert.deepEqual([stalled.permanent, stalled.message], [false, "Webhook ops did not answer in time."]);
    await until(() => silent.connections().open === 0);
    const second = new AbortController();
    const resolve = () => {
      second.abort();
      return new Promise<never>(() => {});
    };
    const lost = deliver(webhook("https://h.test/"), { signal: second.signal, resolve });
    assert.match((await failureOf(lost)).message, /in time/);
  });

  it("is content with the status where the body never ends, trickles, or breaks off", async () => {
    const timers: NodeJS.Timeout[] = [];
    cleanUps.push(() => timers.forEach(clearInterval));
    const trickle: RequestListener = (_request, response) => {
      response.writeHead(200);
      timers.push(setInterval(() => response.write("."), 20));
    };
    const flood: RequestListener = (_request, response) => {
      response.writeHead(200);
      const more = (to: ServerResponse) => {
        while (!to.destroyed && to.write("x".repeat(65_536)));
        if (!to.destroyed) to.once("drain", () => more(to));
      };
      more(response);
    };
    const breakOff: RequestListener = (_request, response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write("x", () => response.destroy());
    };
    for (const answer of [trickle, flood, breakOff]) {
      const { port, connections } = await receiver(answer);
      await deliver(webhook(`http://127.0.0.1:${port}/`));
      await until(() => connections().open === 0);
    }
  });

  it("tries again where the connection is refused or closed before the answer", async () => {
    const rude = await receiver((request) => request.socket.destroy());
    for (const port of [rude.port, await freePort()]) {
      const { permanent, message } = await failureOf(deliver(webhook(`http://127.0.0.1:${port}/x`)));
      assert.equal(permanent, false);
      assert.match(message, /^Webhook ops can't be reached \((ECONNRESET|ECONNREFUSED)\)\.$/);
    }
  });

  it("uses a connection once, and no proxy that the environment names", async () => {
    const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"];
    const before = names.map((name) => process.env[name]);
    const proxy = await receiver();
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`;
    try {
      const { port, received, connections } = await receiver();
      const ops = channel(webhook(`http://127.0.0.1:${port}/`));
      await ops.deliver(event, "msg_1", 1, never);
      await ops.deliver(event, "msg_2", 1, never);
      assert.equal(connections().all, 2);
      assert.equal(received[0]?.headers.connection, "close");
    } finally {
      for (const [i, name] of names.entries()) {
        if (before[i] === undefined) delete process.env[name];
        else process.env[name] = before[i];
      }
    }
    assert.equal(proxy.connections().all, 0);
  });
});

describe("Where a webhook connects to", () => {
  it("is nothing private unless it is listed", async () => {
    const { port, connections } = await receiver();
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
      const failure = await failureOf(
        deliver(webhook(`https://${host}:${port}/`, { format: "slack" }), { allowed: [] }),
      );
      assert.match(failure.message, /private, special.*WEBHOOK_ALLOW_CIDRS/);
      assert.equal(failure.permanent, false);
    }
    assert.equal(connections().all, 0);
  });

  it("is exactly the address that was checked, which is asked for once", async () => {
    const { port, received } = await receiver();
    let asked = 0;
    const resolve: Resolve = async (host) => {
      assert.equal(host, "hooks.test");
      asked += 1;
      // What a rebinding name would say the second time.
      return [{ address: asked === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    };
    const trap = await startHookReceiver(undefined, { host: "127.0.0.2" });
    cleanUps.push(() => trap.close());
    const ops = channel(webhook(`http://hooks.test:${port}/`), { resolve });
    await ops.deliver(event, "msg_1", 1, never);
    assert.equal(asked, 1);
    assert.equal(received[0]?.headers.host, `hooks.test:${port}`);
    const rebound = channel(webhook(`http://hooks.test:${trap.port}/`), { resolve });
    assert.match((await failureOf(rebound.deliver(event, "msg_1", 2, never))).message, /private/);
    assert.equal(trap.connections().all, 0);
  });

  it("is none of a name's addresses where one of them is blocked", async () => {
    const { port, connections } = await receiver();
    const resolve: Resolve = async () => [
      { address: "127.0.0.1", family: 4 },
      { address: "169.254.169.254", family: 4 },
    ];
    await failureOf(deliver(webhook(`http://hooks.test:${port}/`), { resolve }));
    assert.equal(connections().all, 0);
  });

  it("is the next of the checked addresses where one does not answer", async () => {
    const { port, received } = await receiver();
    const resolve: Resolve = async () => [
      { address: "127.0.0.3", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ];
    await deliver(webhook(`http://hooks.test:${port}/`), { resolve, allowed: ["127.0.0.0/8"] });
    assert.equal(received.length, 1);
  });

  it("proves itself by a certificate for the URL's name, from an authority that is trusted", async () => {
    const tls = makeCertificates(folder(), "DNS:hooks.test");
    const { port, received } = await receiver(undefined, { tls });
    const good = webhook(`https://hooks.test:${port}/`);
    await deliver(good, { resolve: at127, ca: tls.ca });
    assert.equal(received[0]?.headers.host, `hooks.test:${port}`);
    const stranger = await failureOf(deliver(good, { resolve: at127 }));
    assert.match(stranger.message, /UNABLE_TO_|SELF_SIGNED/);
    const misnamed = webhook(`https://other.test:${port}/`);
    const { message, permanent } = await failureOf(deliver(misnamed, { resolve: at127, ca: tls.ca }));
    assert.match(message, /ERR_TLS_CERT_ALTNAME_INVALID/);
    assert.equal(permanent, false);
    assert.equal(received.length, 1);
  });

  it("stays out of what is said when it fails", async () => {
    const { port } = await receiver(status(500));
    const failing = webhook(`http://127.0.0.1:${port}/services/T0/B0/tOkEn`);
    for (const config of [
      failing,
      webhook("https://nowhere.invalid/tOkEn"),
      webhook("http://10.0.0.1/tOkEn"),
    ]) {
      const { message, cause } = await failureOf(deliver(config));
      assert.doesNotMatch(message, /tOkEn|invalid|10\.0|127\.0|Database|0123456789abcdef/);
      assert.equal(cause, undefined);
    }
  });
});
