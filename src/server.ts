#!/usr/bin/env node
/**
 * The only file that reads the environment, listens, handles signals and ends the process. It loads
 * the rest when it comes to it, so that a health check loads next to nothing.
 */
import { readFileSync } from "node:fs";
import type { AnyServer } from "./web/http-server.ts";

/** Milliseconds after a SIGTERM in which load balancers may see that this replica is not ready any more. */
const DRAIN_NOTICE = 1000;
/** Milliseconds for requests in flight. With the notice and the store, less than the 10 s that Docker waits. */
const DRAIN_PATIENCE = 7000;
/** Both the terminal and npm pass Ctrl-C on: two signals this close together are one wish. */
const ECHO = 1000;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

async function readConfig() {
  const { parseConfig } = await import("./config/parse-config.ts");
  const { ConfigError } = await import("./config/config-error.ts");
  const { describeSettings } = await import("./config/schema.ts");
  try {
    return parseConfig(process.env, (path) => readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message);
    throw error;
  } finally {
    // Whatever prints the environment later, such as a crash report, has no password to print.
    for (const { name, source } of describeSettings()) {
      if (source === "value-or-file") delete process.env[name];
    }
    // With DEBUG=ioredis:* the client writes each command with its arguments, shares included, to stderr.
    delete process.env.DEBUG;
  }
}

async function serve(): Promise<void> {
  const config = await readConfig();
  const { pino } = await import("pino");
  const { describeError } = await import("./web/log-error.ts");
  const { describeDoubts, describeNetworkDoubts, describeStart } = await import("./web/start-words.ts");
  const { compose } = await import("./compose.ts");
  const { createHttpServer, createHttpsServer, drain } = await import("./web/http-server.ts");
  const { forgetInput } = await import("./web/forget-input.ts");
  const { ListenError, listen } = await import("./web/listen.ts");
  const { createRedirect } = await import("./web/redirect.ts");
  const { prepareTls } = await import("./tls/serve-tls.ts");
  const { CountriesError } = await import("./access/countries.ts");
  const { CertificateError } = await import("./tls/certificate-pair.ts");
  const { StorePreconditionError, StoreUnavailableError } = await import("./store/store.ts");

  const log = pino({ level: config.logLevel });
  process.on("uncaughtException", (error) => {
    log.fatal({ error: describeError(error) }, "unexpected error, ending");
    process.exit(1);
  });

  let draining = false;
  const isDraining = () => draining;
  const expected = (error: unknown): never => {
    const told = [ListenError, StorePreconditionError, CertificateError, CountriesError].some(
      (kind) => error instanceof kind,
    );
    if (told && error instanceof Error) fail(`Waxseal did not start: ${error.message}`);
    if (error instanceof StoreUnavailableError) {
      fail("Waxseal did not start: Redis does not answer. Start it, or correct REDIS_URL.");
    }
    throw error;
  };

  const tls = await Promise.resolve()
    .then(() => prepareTls(config.tls, config.publicUrl, log))
    .catch(expected);
  const service = await compose(config, log, isDraining).catch(expected);
  const { host, port, metricsPort, redirectPort } = config;
  const servers: AnyServer[] = [];
  const open = async (server: AnyServer, address: Parameters<typeof listen>[1]) => {
    forgetInput(server);
    await listen(server, address).catch(expected);
    servers.push(server);
  };
  if (metricsPort !== undefined) {
    const server = createHttpServer(service.metricsHandler, isDraining);
    await open(server, { host, port: metricsPort, setting: "METRICS_PORT" });
  }
  if (redirectPort !== undefined) {
    const server = createHttpServer(createRedirect(config), isDraining);
    await open(server, { host, port: redirectPort, setting: "REDIRECT_PORT" });
  }
  const address = { host, port, setting: "PORT" } as const;
  if (tls === undefined) {
    await open(createHttpServer(service.handler, isDraining), address);
  } else {
    const server = createHttpsServer(service.handler, isDraining, tls.pair);
    await open(server, address);
    tls.keepCurrent(server);
  }

  let firstSignal = 0;
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (draining) {
      if (performance.now() - firstSignal < ECHO) return;
      log.warn("told to end again, ending at once");
      process.exit(1);
    }
    draining = true;
    firstSignal = performance.now();
    log.info({ signal }, "ending: requests in flight may finish");
    // Ctrl-C is a person, and no load balancer is watching.
    if (signal === "SIGTERM") await new Promise((resolve) => setTimeout(resolve, DRAIN_NOTICE));
    await Promise.all(servers.map((server) => drain(server, DRAIN_PATIENCE)));
    await Promise.race([service.close(), new Promise((resolve) => setTimeout(resolve, 1000))]);
    log.info("ended");
    process.exit(0);
  }
  process.on("SIGTERM", end);
  process.on("SIGINT", end);

  for (const line of [describeStart(config), ...(tls === undefined ? [] : [tls.about])]) {
    // A person at a terminal reads a sentence, a log collector reads JSON.
    if (process.stdout.isTTY) process.stdout.write(`${line}\n`);
    else log.info(line);
  }
  for (const doubt of [...describeDoubts(config), ...describeNetworkDoubts(config)]) log.warn(doubt);
  service.trail.begin();
}

const mode = process.argv[2];
if (mode === undefined) {
  await serve();
} else if (mode === "healthcheck") {
  const { healthcheck } = await import("./healthcheck.ts");
  process.exitCode = await healthcheck(process.env);
} else if (mode === "doctor") {
  const { doctor } = await import("./doctor/doctor.ts");
  process.exitCode = await doctor({
    args: process.argv.slice(3),
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    print: (line) => process.stdout.write(`${line}\n`),
  });
} else if (mode === "audit") {
  const { auditMode } = await import("./audit/verify.ts");
  process.exitCode = await auditMode({
    args: process.argv.slice(3),
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    stdin: process.stdin,
    print: (line) => process.stdout.write(`${line}\n`),
  });
} else {
  fail(
    `There is no mode ${JSON.stringify(mode)}. Start without one to serve, or with: healthcheck, doctor, audit`,
  );
}
