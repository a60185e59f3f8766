import { LIMITS } from "./contract-harness.ts";
import { LOOK_LEASE, LOOK_SOON } from "./looks.ts";
import { MAX_NOTES } from "./record.ts";
import type { EventKind, NoteKind, SecretState } from "./store.ts";

/**
 * No duration here, and no sum of two, is a multiple of ten, and time moves in tens: so no test ever looks
 * at a moment of change itself. But for `LOOK_SOON`: a look is due when its time has come. They end in 9, as
 * Redis' own time goes on beside the model's: a run may take seconds before something ends too early for it.
 */
export const TTL = 209;
export const MODEL_LIMITS = {
  ...LIMITS,
  redeliveryWindow: 39,
  retention: 409,
  uploads: { idle: 69, longest: 189, maxBytes: 2 ** 30 },
};
/** Seconds in which a second note of a kind is not written. */
export const QUIET = 49;

/** The whole of the store's behaviour for one secret, as plainly as it can be said. */
export interface Model {
  now: number;
  /** Which quarters of the blob have come. */
  held: number;
  created: number;
  state: SecretState | undefined;
  expires: number;
  ended: number;
  claim: number | undefined;
  /** Until when the share can be had by its claim. */
  until: number;
  tries: number;
  notes: { readonly at: number; readonly kind: NoteKind }[];
  /** All events but the notes. */
  events: EventKind[];
  /** When a sweep calls for it, where ends are followed. */
  look: number;
  /** Whether the last call for it failed. */
  failed: boolean;
  /** Whether its end was told, or is nobody's to hear. */
  told: boolean;
  /** Whether another create of it may have put it into the index once more. */
  mayBeStray: boolean;
}

export const createModel = (): Model => ({
  now: 0,
  state: undefined,
  expires: 0,
  ended: 0,
  claim: undefined,
  until: 0,
  tries: 0,
  held: 0,
  created: 0,
  notes: [],
  events: [],
  look: Number.POSITIVE_INFINITY,
  failed: false,
  told: false,
  mayBeStray: false,
});

export const isLive = ({ state }: Model) => state === "sealed" || state === "locked";
export const isUnended = (model: Model) => isLive(model) || model.state === "uploading";

export function begin(model: Model, state: "sealed" | "uploading", life: number): void {
  const { now, mayBeStray } = model;
  Object.assign(model, createModel(), { now, mayBeStray, created: now, state, expires: now + life });
  if (state === "sealed") model.events.push("sealed");
}

export function hasten(model: Model): void {
  if (isLive(model)) model.look = Math.min(model.look, model.now + LOOK_SOON / 1000);
}

export function end(model: Model, state: SecretState & EventKind, at: number): void {
  // Nobody is told of an upload that came to nothing.
  model.told = model.state === "uploading";
  model.state = state;
  model.ended = at;
  model.until = at;
  model.events.push(state);
}

/** Lets time take its effect. */
export function settle(model: Model): void {
  if (isUnended(model) && model.now >= model.expires) {
    if (isLive(model)) model.look = Math.min(model.look, model.expires);
    end(model, "expired", model.expires);
  }
  // Both at once where time moved on by more than what was left and the retention.
  if (model.state && !isUnended(model) && model.now >= model.ended + MODEL_LIMITS.retention) {
    model.state = undefined;
    model.look = Number.POSITIVE_INFINITY;
    model.mayBeStray = true;
  }
}

/** Whether it is written down. */
export function addNote(model: Model, kind: NoteKind, quiet: number): boolean {
  const latest = model.notes.findLast((note) => note.kind === kind);
  if (latest && model.now - latest.at < quiet) return false;
  model.notes = [...model.notes, { at: model.now, kind }].slice(-MAX_NOTES);
  return true;
}

/** Whether a sweep calls for it now. */
export function expectedCalls({ look, now, state, mayBeStray, failed }: Model): readonly number[] {
  if (look <= now) return [1];
  // An open may be taken back for a while: until then it is called for more than once. And who asks again
  // for what has ended may bring forward what is due after a failure.
  return state === "opened" || mayBeStray || failed ? [0, 1] : [0];
}

/** A sweep has called for it. */
export function looked(model: Model, didTell: boolean): void {
  model.failed = !didTell;
  model.look = didTell ? Number.POSITIVE_INFINITY : model.now + LOOK_LEASE / 1000;
  if (didTell && model.state && !isUnended(model)) model.told = true;
}
