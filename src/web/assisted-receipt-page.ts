import type { Request, Response } from "express";
import { parseRules, UnreadableRulesError } from "../access/rules.ts";
import { endingWords, triesWords } from "../envelope/live-words.ts";
import { sealRim } from "../envelope/rim.ts";
import { ruleWords } from "../envelope/rule-words.ts";
import type { SecretRecord } from "../store/store.ts";
import { issueFormToken } from "./csrf.ts";
import type { AssistedDeps, SendPage } from "./form-page.ts";
import { describeSecret, endOf, formatTime } from "./secret-state.ts";
import { eventWords, stateWords, timeWords } from "./state-words.ts";

/**
 * Answers with the receipt of `record`. `receipt`: as it was pasted, for the buttons below to send
 * again. `notice`: what has just happened, where there is more to it than the record says.
 */
export type SendReceipt = (
  request: Request,
  response: Response,
  record: SecretRecord,
  receipt: string,
  notice?: string,
) => void;

/** `stored`: as the store keeps rules. One sentence each; times in UTC. */
export function storedRuleWords(stored: string | undefined): string[] {
  if (stored === undefined) return [];
  try {
    return ruleWords(parseRules(stored), (time) => timeWords(time.getTime()));
  } catch (error) {
    if (!(error instanceof UnreadableRulesError)) throw error;
    return [error.message];
  }
}

/** Its last lock as a form holds it: whose, and when in milliseconds since 1970. Empty where it never was. */
export function lastLock({ id, events }: Pick<SecretRecord, "id" | "events">): string {
  const last = events.findLast(({ kind }) => kind === "locked");
  return last ? `${id} ${last.at}` : "";
}

/** Whether this is a lock of the secret, the last one or an earlier. */
export function isLockOf({ id }: Pick<SecretRecord, "id">, lock: string): boolean {
  return lock.startsWith(`${id} `);
}

export function createReceiptPage(
  { config: { basePath }, gate }: Pick<AssistedDeps, "config" | "gate">,
  send: SendPage,
): SendReceipt {
  /** What ends it, and the form of what can be done until then. */
  function liveOf(request: Request, response: Response, record: SecretRecord, receipt: string) {
    const { state, expiresAt } = record;
    return {
      ending: endingWords(state),
      at: formatTime(expiresAt),
      words: timeWords(expiresAt),
      tries: triesWords(describeSecret(record).triesLeft),
      action: `${basePath}/assisted/receipt`,
      csrf: issueFormToken(request, response),
      receipt,
      locked: state === "locked" ? lastLock(record) : undefined,
    };
  }

  return (request, response, record, receipt, notice) => {
    const { heading, summary, seal } = stateWords(record);
    const data = {
      heading,
      summary,
      notice,
      rules: storedRuleWords(record.rules),
      live: endOf(record) ? undefined : liveOf(request, response, record, receipt),
      events: record.events.map(({ at, kind }) => ({
        words: eventWords(kind),
        at: formatTime(at),
        atWords: timeWords(at),
      })),
      createHref: gate.mayCreate(request) ? `${basePath}/assisted` : undefined,
    };
    send(response, "assisted-receipt", data, { title: heading, seal, rim: sealRim(record.id) });
  };
}
