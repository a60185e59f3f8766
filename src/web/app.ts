import type { RequestListener } from "node:http";
import express, { type RequestHandler, Router } from "express";
import type { Store as LimitStore } from "express-rate-limit";
import type { Logger } from "pino";
import type { CountryOf } from "../access/decide.ts";
import type { Config } from "../config/config.ts";
import type { PassphraseHash } from "../envelope/keys.ts";
import type { SecretId } from "../envelope/tokens.ts";
import type { Changes } from "../store/changes.ts";
import type { Store } from "../store/store.ts";
import { createAccessGate } from "./access-gate.ts";
import { type Assets, serveAssets } from "./assets.ts";
import { createAssisted } from "./assisted.ts";
import type { Audit } from "./audit.ts";
import { dropPorts, keepAddress } from "./client-address.ts";
import { createSecretRoute } from "./create-secret.ts";
import { createErrorHandler } from "./error-handler.ts";
import { createHealth } from "./health.ts";
import { instrumentStore } from "./instrument-store.ts";
import { createLimits, type LimitName } from "./limits.ts";
import { createLinkRoutes } from "./link-routes.ts";
import type { Metrics } from "./metrics.ts";
import { createOtherHalf } from "./other-half.ts";
import { createPages } from "./pages.ts";
import { notFound } from "./problem.ts";
import { createProblemPage } from "./problem-page.ts";
import { createProxyHint } from "./proxy-hint.ts";
import { createReceiptEvents } from "./receipt-events.ts";
import { createReceiptRoutes } from "./receipt-routes.ts";
import { createRequestLog } from "./request-log.ts";
import { createSameOrigin } from "./same-origin.ts";
import { createSecurityHeaders } from "./security-headers.ts";
import { createUploadPlaces } from "./upload-places.ts";
import { createUploadRoute } from "./upload-route.ts";
import type { Renderer } from "./views.ts";

export interface AppDeps {
  readonly config: Config;
  readonly store: Store;
  /** For whoever looks on. */
  readonly changes: Pick<Changes, "watch">;
  /** Called when a record changed; must neither throw nor wait. */
  readonly onChange: (id: SecretId) => void;
  /** Undefined: counters in this process. */
  readonly limitStore: (name: LimitName) => LimitStore | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly audit: Audit;
  readonly assets: Assets;
  readonly render: Renderer;
  /** Argon2id off the event loop, for the assisted pages. */
  readonly hashPassphrase: PassphraseHash;
  /** Milliseconds since 1970, for rules that depend on the time. */
  readonly clock: () => number;
  /** Undefined where there is no GEOIP_DB. */
  readonly countryOf?: CountryOf | undefined;
  /** True once the process has been told to end. */
  readonly isDraining: () => boolean;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);

/** Express would answer OPTIONS by itself, and tell which addresses exist. */
const knownMethods: RequestHandler = (req, _res, next) =>
  next(METHODS.has(req.method) ? undefined : notFound());

const robots: RequestHandler = (_req, res) => {
  res.type("text/plain").send("User-agent: *\nDisallow: /\n");
};

/**
 * The path of a request target (RFC 9112, section 3.2), which may be a whole address. Express answers
 * one that it finds no path in by itself, before any middleware: without our headers, words and limits.
 */
function pathOf(target = ""): string {
  if (target.startsWith("/")) return target;
  const { protocol, pathname, search } = URL.canParse(target) ? new URL(target) : new URL("none:");
  return /^https?:$/.test(protocol) ? pathname + search : "/*";
}

/** The whole service as one request handler. Does no I/O of its own; starts no timer of its own. */
export function createApp(deps: AppDeps): RequestListener {
  const { audit, config, isDraining, log, metrics } = deps;
  const limits = createLimits(deps);
  const store = instrumentStore(deps.store, metrics, audit, deps.onChange);
  const uploads = createUploadPlaces(
    config.uploadsPerAddress,
    async (id) => (await store.read(id))?.state === "uploading",
  );
  const gate = createAccessGate({ ...deps, store });
  const routeDeps = { config, store, limits, gate, audit, uploads, clock: deps.clock };
  const [creates, opens] = [config.role !== "open", config.role !== "create"];

  const app = express();
  app.disable("x-powered-by");
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.set("etag", false);
  app.set("query parser", false);
  app.set("trust proxy", config.trustProxy);

  app.use(dropPorts, keepAddress);
  app.use(createRequestLog(log, metrics, config.auditAddresses));
  app.use(createSecurityHeaders(config));
  app.use(createProxyHint(log));
  app.use(knownMethods);
  app.use(createHealth({ store, isDraining }));
  app.get("/robots.txt", robots);

  const service = Router({ caseSensitive: true, strict: true });
  service.use(createSameOrigin(config.publicUrl));
  service.use(createHealth({ store, isDraining }));
  service.get("/robots.txt", robots);
  service.get("/assets/:file", serveAssets(deps.assets));
  if (creates) {
    service.use(createSecretRoute(routeDeps));
    service.use(createUploadRoute(routeDeps));
    service.use(createReceiptRoutes(routeDeps));
    service.use(createReceiptEvents({ ...deps, ...routeDeps }));
  }
  if (opens) service.use(createLinkRoutes(routeDeps));
  service.use(createPages(deps, gate));
  service.use(createOtherHalf(deps, gate));
  if (config.assisted) service.use(createAssisted({ ...deps, ...routeDeps }));
  app.use(config.basePath || "/", service);

  app.use((_req, _res, next) => next(notFound()));
  const renderProblemPage = createProblemPage(deps, gate);
  app.use(createErrorHandler({ log, limits, basePath: config.basePath, renderProblemPage }));
  return (req, res) => {
    req.url = pathOf(req.url);
    app(req, res);
  };
}
