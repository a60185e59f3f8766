import type { Request, RequestHandler } from "express";
import type { Logger } from "pino";
import { type CountryOf, decide } from "../access/decide.ts";
import { createDemands, type Demands } from "../access/demands.ts";
import { parseRules, type Rules, UnreadableRulesError } from "../access/rules.ts";
import type { Config } from "../config/config.ts";
import type { OpenRequest, RefusalReason, SecretRecord, Store } from "../store/store.ts";
import { within } from "../store/within.ts";
import type { Audit } from "./audit.ts";
import { clientAddress } from "./client-address.ts";
import { logFailure } from "./log-failure.ts";
import type { Metrics } from "./metrics.ts";
import { Problem } from "./problem.ts";

export interface AccessDeps {
  readonly config: Config;
  readonly store: Pick<Store, "note">;
  readonly audit: Audit;
  readonly metrics: Pick<Metrics, "refused">;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Undefined where there is no GEOIP_DB. */
  readonly countryOf?: CountryOf | undefined;
}

export interface AccessGate {
  readonly demands: Demands;
  /** Whether there is anything here on which this client could create. Writes nothing down. */
  mayCreate(req: Request): boolean;
  /** Passes a `refused` problem on where this client may not create. Before anything is read. */
  readonly creating: RequestHandler;
  /** The same for what is in the middle of creating. Writes each refusal down: what may ask is to be limited. */
  checkCreating(req: Request): void;
  /**
   * For somebody who has proven to hold the link, before anything is used up. Throws a `refused` problem
   * where the operator or the sender's rules keep this client from opening it now, and notes that on the
   * receipt. What has ended is let pass: the store says so, or gives it `again` to the claim that has it.
   * Resolves with what goes into the request to the store.
   */
  opening(req: Request, record: SecretRecord): Promise<Required<Pick<OpenRequest, "again">>>;
}

/** Milliseconds for which one refusal of a kind stands for all that follow it. */
const QUIET = 60_000;
/** Milliseconds that a refused client waits for the note on the receipt. */
const NOTE_PATIENCE = 1000;

const WORDS: Readonly<Record<RefusalReason, string>> = {
  network: "Only certain networks may open this secret, and yours is none of them. It is still sealed.",
  country: "The sender allowed only certain countries. The secret is still sealed.",
  "not-yet": "The sender allowed this secret to be opened only later. It is still sealed.",
  hours: "The sender allowed this secret to be opened only at certain hours. It is still sealed.",
};

export function createAccessGate(deps: AccessDeps): AccessGate {
  const { config, store, audit, metrics, log, clock, countryOf } = deps;
  const demands = createDemands(config);
  let toldOfDatabase = false;

  function read(rules: string | undefined): Rules {
    try {
      return rules === undefined ? {} : parseRules(rules);
    } catch (error) {
      if (!(error instanceof UnreadableRulesError)) throw error;
      logFailure(log, "error", error);
      throw new Problem("unavailable", `${error.message} Nothing was opened.`, {
        headers: { "Retry-After": "60" },
      });
    }
  }

  function tellOfDatabase(): void {
    if (toldOfDatabase || countryOf !== undefined) return;
    toldOfDatabase = true;
    log.warn(
      "A secret asks for countries, which nobody can tell here. Set GEOIP_DB as where it was created.",
    );
  }

  function checkCreating(req: Request): void {
    if (demands.mayCreate(clientAddress(req))) return;
    const members = { reason: "network" } as const;
    // Who only looks at a page has not tried yet.
    if (req.method === "GET" || req.method === "HEAD") {
      throw new Problem("refused", "Secrets can't be created from your network. Ask your administrator.", {
        members,
      });
    }
    metrics.refused.inc({ act: "create", reason: "network" });
    audit("create-refused", undefined, "network");
    throw new Problem("refused", "Secrets can't be created from your network. Nothing was saved.", {
      members,
    });
  }

  return {
    demands,
    mayCreate: (req) => config.role !== "open" && demands.mayCreate(clientAddress(req)),
    checkCreating,
    creating(req, _res, next) {
      checkCreating(req);
      next();
    },
    async opening(req, { id, state, rules: stored }) {
      // A claim can be taken back, and then it would be the next one's, whom nobody has looked at.
      if (state !== "sealed" && state !== "locked") return { again: true };
      const address = clientAddress(req);
      const rules = read(stored);
      const reason = demands.mayOpen(address)
        ? decide(rules, { address, now: clock(), countryOf })
        : "network";
      if (reason === undefined) return { again: false };
      if (reason === "country") tellOfDatabase();
      metrics.refused.inc({ act: "open", reason });
      audit("denied", id, `refused-${reason}`);
      // Refused all the same where this fails: the receipt has one line less, and no secret is less sealed.
      await within(NOTE_PATIENCE, store.note(id, `refused-${reason}`, QUIET)).catch((error: unknown) =>
        logFailure(log, "warn", error),
      );
      const { notBefore } = rules;
      const until = reason === "not-yet" && notBefore !== undefined ? { notBefore } : {};
      throw new Problem("refused", WORDS[reason], { members: { reason, ...until } });
    },
  };
}
