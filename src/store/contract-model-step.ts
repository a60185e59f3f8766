import assert from "node:assert/strict";
import type fc from "fast-check";
import type { ClaimToken } from "../envelope/tokens.ts";
import { readWhole } from "../testing/new-secret.ts";
import type { StoreHarness } from "./contract-harness.ts";
import { isLive, isUnended, MODEL_LIMITS, type Model, settle } from "./contract-model-state.ts";
import type { NewSecret, NoteKind, SecretEvent } from "./store.ts";

/** Of the blob, where it comes in pieces: a bit of a model's `held` each. */
export const QUARTERS = 4;
export const NOTES: readonly NoteKind[] = ["visited", "refused-hours"];

export interface Real {
  readonly harness: StoreHarness;
  readonly secret: NewSecret;
  readonly blob: Uint8Array;
  readonly claims: readonly ClaimToken[];
  readonly followEnds: boolean;
}

export type Step = fc.AsyncCommand<Model, Real>;

function checkEvents(model: Model, events: readonly SecretEvent[]): void {
  const isNote = ({ kind }: SecretEvent) => NOTES.some((note) => note === kind);
  const kindsOf = (some: readonly SecretEvent[]) => some.map(({ kind }) => kind);
  assert.deepEqual(
    kindsOf(events.filter(isNote)),
    model.notes.map(({ kind }) => kind),
  );
  assert.deepEqual(kindsOf(events.filter((event) => !isNote(event))), model.events);
  const times = events.map(({ at }) => at);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
}

/** Does something to both, and compares all that can be read. */
export function step(name: string, run: (model: Model, real: Real) => Promise<void>): Step {
  return {
    check: () => true,
    toString: () => name,
    async run(model, real) {
      await run(model, real);
      settle(model);
      const record = await real.harness.store.read(real.secret.id);
      assert.equal(record?.state, model.state);
      if (!record) return;
      assert.equal(record.triesLeft, MODEL_LIMITS.passphraseTries - model.tries);
      assert.equal(record.endedAt === undefined, isUnended(model));
      const quarters = [...model.held.toString(2)].filter((bit) => bit === "1").length;
      const received = record.state === "uploading" ? (quarters * real.secret.size) / QUARTERS : undefined;
      assert.equal(record.upload?.received, received);
      const readable = isLive(model) || model.now < model.until;
      assert.equal((await readWhole(real.harness.store, real.secret)) !== undefined, readable);
      checkEvents(model, record.events);
      const certain = model.state !== "opened" || !real.followEnds;
      if (isUnended(model) || !model.told) assert.equal(record.sender, real.secret.sender);
      else if (certain) assert.equal(record.sender, undefined);
    },
  };
}
