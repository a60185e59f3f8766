import type { Request, Response } from "express";
import { parseRules, UnreadableRulesError } from "../access/rules.ts";
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

/** When it was locked last, in milliseconds since 1970, as a form holds it; empty where it never was. */
export function lockedAt({ events }: Pick<SecretRecord, "events">): string {
  return String(events.findLast(({ kind }) => kind === "locked")?.at ?? "");
}

function triesWords(triesLeft: number | undefined): string {
  if (triesLeft === undefined) return "";
  return ` ${triesLeft} passphrase ${triesLeft === 1 ? "try" : "tries"} left.`;
}

export function createReceiptPage(
  { config: { basePath }, gate }: Pick<AssistedDeps, "config" | "gate">,
  send: SendPage,
): SendReceipt {
  return (request, response, record, receipt, notice) => {
    const { state, events, expiresAt } = record;
    const { heading, summary, seal } = stateWords(record);
    const live = {
      ending: state === "uploading" ? "Unless more of it arrives, it is given up" : "It is deleted",
      at: formatTime(expiresAt),
      words: timeWords(expiresAt),
      tries: triesWords(describeSecret(record).triesLeft),
      action: `${basePath}/assisted/receipt`,
      csrf: issueFormToken(request, response),
      receipt,
      locked: state === "locked" ? lockedAt(record) : undefined,
    };
    const data = {
      heading,
      summary,
      notice,
      rules: storedRuleWords(record.rules),
      live: endOf(record) ? undefined : live,
      events: events.map(({ at, kind }) => ({
        words: eventWords(kind),
        at: formatTime(at),
        atWords: timeWords(at),
      })),
      createHref: gate.mayCreate(request) ? `${basePath}/assisted` : undefined,
    };
    send(response, "assisted-receipt", data, { title: heading, seal, rim: sealRim(record.id) });
  };
}
