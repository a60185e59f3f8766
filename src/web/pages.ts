import { brotliCompressSync, gzipSync } from "node:zlib";
import type { RequestHandler } from "express";
import { Router } from "express";
import type { Config } from "../config/config.ts";
import { sealRim } from "../envelope/rim.ts";
import type { AccessGate } from "./access-gate.ts";
import { type Assets, pickEncoding } from "./assets.ts";
import { clientAddress } from "./client-address.ts";
import { durationWords } from "./duration-words.ts";
import { EVENT_WORDS, STATE_WORDS } from "./state-words.ts";
import type { Frame, PageData, Renderer, TtlChoice } from "./views.ts";

export interface PageDeps {
  readonly config: Config;
  readonly assets: Assets;
  readonly render: Renderer;
}

/** The frame of a page, but for what each page decides. */
export function createFrame({
  config,
  assets,
}: PageDeps): (page: Partial<Frame> & { title: string }) => Frame {
  const { basePath } = config;
  const common = {
    seal: "sealed",
    rim: sealRim(),
    homeHref: config.role === "open" ? undefined : `${basePath}/`,
    publicUrl: config.publicUrl.href.replace(/\/$/, ""),
    linkUrl: config.linkUrl.href.replace(/\/$/, ""),
    maxSecretBytes: config.maxSecretBytes,
    maxFiles: config.maxFiles,
    redeliveryWindow: config.redeliveryWindow,
    icon: assets.reference("icon.svg", basePath),
    style: assets.reference("waxseal.css", basePath),
    script: undefined,
  } as const;
  return (page) => ({ ...common, ...page });
}

/** The choices of "Delete after" up to `longest`, with `chosen` or the next shorter one preselected. */
export function ttlChoices({ ttlChoices }: Config, longest: number, chosen: number): TtlChoice[] {
  const allowed = ttlChoices.filter((seconds) => seconds <= longest);
  const nearest = Math.max(...allowed.filter((seconds) => seconds <= chosen));
  return allowed.map((seconds) => ({
    seconds,
    words: durationWords(seconds),
    chosen: seconds === nearest,
  }));
}

/** A page that is the same for everyone: rendered and compressed once, then sent from memory. */
function constantPage(html: string): RequestHandler {
  const body = Buffer.from(html);
  const encodings = new Map([
    ["br", brotliCompressSync(body)],
    ["gzip", gzipSync(body, { level: 9 })],
    ["identity", body],
  ] as const);
  return (request, response, next) => {
    const picked = pickEncoding(request, encodings);
    if (!picked) return next();
    const [encoding, bytes] = picked;
    response.set("Content-Type", "text/html; charset=utf-8");
    response.vary("Accept-Encoding");
    if (encoding !== "identity") response.set("Content-Encoding", encoding);
    response.end(bytes);
  };
}

/**
 * The scripted pages. None of them knows which secret it is about: what names and opens one
 * stands in the fragment, which no browser sends.
 */
export function createPages(deps: PageDeps, { demands, creating }: AccessGate): Router {
  const { config, assets, render } = deps;
  const { basePath } = config;
  const frame = createFrame(deps);
  const assistedHref = (path: string) => (config.assisted ? `${basePath}/assisted${path}` : undefined);
  const page = <Name extends "create" | "open" | "receipt" | "links">(
    name: Name,
    title: string,
    data: PageData[Name],
  ) => constantPage(render(name, data, frame({ title, script: assets.reference(`${name}.js`, basePath) })));

  /** One for each longest time to live that a client's network may have. */
  const creates = new Map(
    [...demands.maxTtls].map((longest) => {
      const data = {
        ttlChoices: ttlChoices(config, longest, config.defaultTtl),
        maxFiles: config.maxFiles,
        assistedHref: assistedHref(""),
        basePath,
        countries: config.geoipDb !== undefined,
        mail: config.mail !== undefined,
        requirePassphrase: config.requirePassphrase,
      };
      return [longest, page("create", "Share a secret", data)] as const;
    }),
  );
  const create: RequestHandler = (request, response, next) =>
    creates.get(demands.maxTtl(clientAddress(request)))?.(request, response, next);
  const open = page("open", "A secret for you", { assistedHref: assistedHref("/open") });
  const receipt = page("receipt", "What became of it", {
    assistedHref: assistedHref("/open"),
    retention: durationWords(config.retention),
    states: STATE_WORDS,
    events: EVENT_WORDS,
    linksHref: `${basePath}/links`,
  });
  const links = page("links", "My links", { states: STATE_WORDS, createHref: `${basePath}/` });

  const router = Router();
  if (config.role !== "open") {
    router.get("/", creating, create);
    router.get("/r", receipt);
    router.get("/links", links);
  }
  if (config.role !== "create") router.get("/s", open);
  return router;
}
