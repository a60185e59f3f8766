import { once } from "node:events";
import { createServer } from "node:http";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Logger, pino } from "pino";
import supertest from "supertest";
import type { CountryOf } from "../access/decide.ts";
import { createLogSink } from "../audit/log-sink.ts";
import { createTrail } from "../audit/trail.ts";
import { parseConfig } from "../config/parse-config.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import { cheapHash } from "../envelope/testing.ts";
import type { Changes } from "../store/changes.ts";
import { storeLimits } from "../store/limits-of-config.ts";
import { createMemoryStore } from "../store/memory.ts";
import { createMemoryChanges } from "../store/memory-changes.ts";
import type { Store } from "../store/store.ts";
import { type AppDeps, createApp } from "../web/app.ts";
import { loadAssets } from "../web/assets.ts";
import { createAudit } from "../web/audit.ts";
import { createMetrics, type Metrics } from "../web/metrics.ts";
import { createRenderer } from "../web/views.ts";
import type { SealedSecret } from "./sealed-secret.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const assets = loadAssets(path("../../dist/assets"));
const render = createRenderer(path("../../views"));

export interface TestAppOptions {
  /** As in the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of an embedded store on the test's clock. */
  readonly store?: Store;
  /** Instead of hints within this process. */
  readonly changes?: Changes;
  readonly limitStore?: AppDeps["limitStore"];
  /** Milliseconds since 1970; by default it stands still. `advance` comes on top. */
  readonly clock?: () => number;
  /** As GEOIP_DB would say it. */
  readonly countryOf?: CountryOf;
  /** By default one that costs nothing. */
  readonly hashPassphrase?: PassphraseHash;
}

const standingStill = () => Date.UTC(2026, 0, 2, 3, 4, 5);

/** The very app that the server serves, on the embedded store and a clock of the test's own. */
export interface TestApp {
  readonly handler: ReturnType<typeof createApp>;
  readonly http: ReturnType<typeof supertest>;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Runs `use` with the app's address while it listens, for what needs more than one request at a time. */
  listening<T>(use: (url: string) => Promise<T>): Promise<T>;
  /** Lets time pass for the store. */
  advance(seconds: number): void;
  drain(): void;
  /** Everything logged so far, line by line. */
  readonly logLines: () => Record<string, unknown>[];
  /** Fails unless it was answered with 201. */
  create(secret: SealedSecret): Promise<void>;
  /** Creates it without its blob. Fails unless it was answered with 201. */
  announce(secret: SealedSecret): Promise<void>;
  /** One part of its blob; `end` is not included. */
  sendPart(secret: SealedSecret, start: number, end: number): supertest.Test;
  /** Creates it and sends the blob in parts of `length` bytes. */
  upload(secret: SealedSecret, length?: number): Promise<void>;
  open(secret: SealedSecret, body?: object): supertest.Test;
  asLink(secret: SealedSecret): Record<string, string>;
  asReceipt(secret: SealedSecret): Record<string, string>;
}

export function createTestApp(options: TestAppOptions = {}): TestApp {
  const { env = {}, limitStore, clock: base = standingStill, hashPassphrase = cheapHash } = options;
  const config = parseConfig({ LOG_LEVEL: "trace", ...env }, (file) => {
    throw new Error(`No test reads ${file}.`);
  });
  let ahead = 0;
  let draining = false;
  const written: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const clock = () => base() + ahead;
  const store =
    options.store ??
    createMemoryStore({ limits: storeLimits(config), maxBytes: config.embeddedMaxBytes, clock });
  const changes = options.changes ?? createMemoryChanges();
  const metrics = createMetrics(store);
  const log = pino({ level: config.logLevel }, sink);
  const handler = createApp({
    config,
    store,
    changes,
    onChange: changes.publish,
    limitStore: limitStore ?? (() => undefined),
    log,
    metrics,
    audit: createAudit(createTrail({ sinks: [createLogSink(log)], clock })),
    assets,
    render,
    hashPassphrase,
    clock,
    ...(options.countryOf ? { countryOf: options.countryOf } : {}),
    isDraining: () => draining,
  });
  const http = supertest(handler);
  const api = `${config.basePath}/api/v1`;
  const asLink = ({ link }: SealedSecret) => ({ Authorization: `Bearer ${link}` });

  const asReceipt = ({ receipt }: SealedSecret) => ({ Authorization: `Bearer ${receipt}` });
  const announce = async ({ body: { blob, ...body } }: SealedSecret) => {
    await http.post(`${api}/secrets`).send(body).expect(201);
  };
  const sendPart = (secret: SealedSecret, start: number, end: number) =>
    http
      .put(`${api}/secret/blob`)
      .set(asReceipt(secret))
      .set("Content-Range", `bytes ${start}-${end - 1}/${secret.blob.length}`)
      .type("application/octet-stream")
      .send(Buffer.from(secret.blob.subarray(start, end)));

  return {
    handler,
    http,
    store,
    metrics,
    log,
    async listening(use) {
      const server = createServer(handler).listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const address = server.address();
        if (address === null || typeof address === "string") throw new Error("The system gave no port.");
        return await use(`http://127.0.0.1:${address.port}`);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    },
    advance(seconds) {
      ahead += seconds * 1000;
    },
    drain() {
      draining = true;
    },
    logLines: () => written.map((line) => JSON.parse(line)),
    async create(secret) {
      await http.post(`${api}/secrets`).send(secret.body).expect(201);
    },
    announce,
    sendPart,
    async upload(secret, length = 1_000_000) {
      await announce(secret);
      const size = secret.blob.length;
      for (let start = 0; start < size; start += length) {
        await sendPart(secret, start, Math.min(start + length, size)).expect(200);
      }
    },
    open: (secret, body = { access: secret.access }) =>
      http.post(`${api}/secret/open`).set(asLink(secret)).send(body),
    asLink,
    asReceipt,
  };
}
