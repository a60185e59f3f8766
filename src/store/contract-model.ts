import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ClaimToken, createClaim } from "../envelope/tokens.ts";
import { anyDigest, newSecret, readWhole, seconds } from "../testing/new-secret.ts";
import { LIMITS, type MakeStore, type StoreHarness, useStore } from "./contract-harness.ts";
import type { NewSecret, SecretState } from "./store.ts";

/**
 * The whole of the store's behaviour for one secret, as plainly as it can be said. No
 * duration here, and no sum of two, is a multiple of ten, and time moves in tens: so no test ever looks
 * at a moment of change itself.
 */
const TTL = 203;
const MODEL_LIMITS = {
  ...LIMITS,
  redeliveryWindow: 35,
  retention: 405,
  uploads: { idle: 63, longest: 183, maxBytes: 2 ** 30 },
};
/** Of the blob, where it comes in pieces: a bit of a model's `held` each. */
const QUARTERS = 4;
const ALL_HELD = 2 ** QUARTERS - 1;

interface Model {
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
}

interface Real {
  readonly harness: StoreHarness;
  readonly secret: NewSecret;
  readonly blob: Uint8Array;
  readonly claims: readonly ClaimToken[];
}

type Step = fc.AsyncCommand<Model, Real>;

const LIVE: readonly (SecretState | undefined)[] = ["sealed", "locked"];

function settle(model: Model): void {
  const isUnended = () => LIVE.includes(model.state) || model.state === "uploading";
  if (isUnended() && model.now >= model.expires) end(model, "expired", model.expires);
  // Both at once where time moved on by more than what was left and the retention.
  if (model.state && !isUnended() && model.now >= model.ended + MODEL_LIMITS.retention) {
    model.state = undefined;
  }
}

function end(model: Model, state: SecretState, at: number): void {
  model.state = state;
  model.ended = at;
  model.until = at;
}

function step(name: string, run: (model: Model, real: Real) => Promise<void>): Step {
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
      const unended = LIVE.includes(record.state) || record.state === "uploading";
      assert.equal(record.endedAt === undefined, unended);
      const quarters = [...model.held.toString(2)].filter((bit) => bit === "1").length;
      const received = record.state === "uploading" ? (quarters * real.secret.size) / QUARTERS : undefined;
      assert.equal(record.upload?.received, received);
      const readable = LIVE.includes(model.state) || model.now < model.until;
      assert.equal((await readWhole(real.harness.store, real.secret)) !== undefined, readable);
    },
  };
}

const create = step("create", async (model, { harness, secret }) => {
  const result = await harness.store.create(secret);
  assert(result.kind === "created");
  assert.equal(result.existed, model.state !== undefined);
  if (result.existed) return;
  Object.assign(model, { claim: undefined, until: 0, tries: 0, held: 0, created: model.now });
  if (secret.blob) Object.assign(model, { state: "sealed", expires: model.now + TTL });
  else Object.assign(model, { state: "uploading", expires: model.now + MODEL_LIMITS.uploads.idle });
});

const write = (quarter: number) =>
  step(`write ${quarter}`, async (model, { harness, secret, blob }) => {
    const length = secret.size / QUARTERS;
    const start = quarter * length;
    const result = await harness.store.writeBlob(secret.id, start, blob.subarray(start, start + length));
    if (model.state === undefined) assert.equal(result.kind, "missing");
    else if (LIVE.includes(model.state)) assert.equal(result.kind, "sealed");
    else if (model.state === "uploading") {
      model.held |= 1 << quarter;
      const { idle, longest } = MODEL_LIMITS.uploads;
      model.expires = Math.min(model.now + idle, model.created + longest);
      assert(result.kind === "written");
      assert.equal(result.complete, model.held === ALL_HELD);
    } else {
      assert(result.kind === "ended");
      assert.equal(result.state, model.state);
    }
  });

const seal = step("seal", async (model, { harness, secret }) => {
  const result = await harness.store.sealUpload(secret.id);
  if (model.state === undefined) assert.equal(result.kind, "missing");
  else if (LIVE.includes(model.state)) assert(result.kind === "sealed" && !result.first);
  else if (model.state !== "uploading") {
    assert(result.kind === "ended");
    assert.equal(result.state, model.state);
  } else if (model.held !== ALL_HELD) assert.equal(result.kind, "incomplete");
  else {
    assert(result.kind === "sealed" && result.first);
    Object.assign(model, { state: "sealed", expires: model.now + TTL });
  }
});

const advance = (tens: number) =>
  step(`advance ${tens * 10}`, async (model, { harness }) => {
    await harness.advance(tens * 10);
    model.now += tens * 10;
  });

const open = (claim: number | undefined, right: boolean) =>
  step(`open claim=${claim} right=${right}`, async (model, { harness, secret, claims }) => {
    const { id, linkHash, accessHash } = secret;
    const token = claim === undefined ? undefined : claims[claim];
    const result = await harness.store.open({
      id,
      linkHash,
      accessHash: right ? accessHash : anyDigest(),
      ...(token ? { claim: token } : {}),
    });
    if (model.state === undefined || model.state === "uploading") assert.equal(result.kind, "missing");
    else if (model.state === "locked") assert.equal(result.kind, "locked");
    else if (model.state === "sealed" && right) {
      assert.deepEqual(result, { kind: "handed-over", share: secret.share, first: true });
      end(model, "opened", model.now);
      model.claim = claim;
      if (claim !== undefined)
        model.until = Math.min(model.now + MODEL_LIMITS.redeliveryWindow, model.expires);
    } else if (model.state === "sealed") {
      model.tries += 1;
      const triesLeft = MODEL_LIMITS.passphraseTries - model.tries;
      assert.deepEqual(result, { kind: "wrong-passphrase", triesLeft });
      if (triesLeft === 0) model.state = "locked";
    } else if (right && claim !== undefined && claim === model.claim && model.now < model.until) {
      assert.deepEqual(result, { kind: "handed-over", share: secret.share, first: false });
    } else {
      assert(result.kind === "ended");
      assert.equal(result.state, model.state);
    }
  });

const acknowledge = (claim: number) =>
  step(`acknowledge ${claim}`, async (model, { harness, secret, claims }) => {
    const token = claims[claim];
    assert(token);
    const result = await harness.store.acknowledge(secret.id, token);
    const mine = model.state === "opened" && model.claim === claim;
    const absent = model.state === undefined || model.state === "uploading";
    const expected = absent ? "missing" : mine ? "acknowledged" : "refused";
    assert.equal(result.kind, expected);
    if (mine) model.until = 0;
  });

const remove = step("delete", async (model, { harness, secret }) => {
  const result = await harness.store.delete(secret.id);
  if (model.state === undefined) assert.equal(result.kind, "missing");
  else if (LIVE.includes(model.state) || model.state === "uploading") {
    assert(result.kind === "deleted" && result.first);
    end(model, "deleted", model.now);
  } else if (model.state === "deleted") assert(result.kind === "deleted" && !result.first);
  else {
    assert(result.kind === "ended");
    assert.equal(result.state, model.state);
    model.until = 0;
  }
});

const unlock = step("unlock", async (model, { harness, secret }) => {
  const result = await harness.store.unlock(secret.id);
  if (model.state === undefined) assert.equal(result.kind, "missing");
  else if (model.state === "uploading") assert.equal(result.kind, "unlocked");
  else if (LIVE.includes(model.state)) {
    assert.equal(result.kind, "unlocked");
    Object.assign(model, { state: "sealed", tries: 0 });
  } else assert.equal(result.kind, "ended");
});

const collect = step("collect", async (_model, { harness }) => {
  await harness.store.collectExpired();
  await harness.store.collectAbandoned();
});

export function modelContract(makeStore: MakeStore): void {
  describe("in any order", () => {
    const fixture = useStore(makeStore, MODEL_LIMITS);

    it("does what a model of one secret does, whatever is called when", async () => {
      const claim = fc.nat({ max: 2 });
      const steps = [
        fc.constant(create),
        fc.constant(remove),
        fc.constant(unlock),
        fc.constant(collect),
        fc.nat({ max: QUARTERS - 1 }).map(write),
        fc.constant(seal),
        fc.integer({ min: 1, max: 45 }).map(advance),
        fc.constant(advance(1)),
        claim.map(acknowledge),
        fc.tuple(fc.option(claim, { nil: undefined }), fc.boolean()).map(([who, right]) => open(who, right)),
        fc.tuple(claim, fc.constant(true)).map(([who, right]) => open(who, right)),
      ];
      await fc.assert(
        fc.asyncProperty(
          fc.commands(steps, { maxCommands: 25, size: "max" }),
          fc.boolean(),
          async (commands, inline) => {
            const { blob, ...others } = newSecret({ ttl: seconds(TTL) });
            const secret: NewSecret = inline ? { ...others, blob } : others;
            // Most uploads should get as far as a seal.
            const beginning = inline ? [create] : [create, write(2), write(0), write(1)];
            await fc.asyncModelRun(
              () => ({
                model: {
                  now: 0,
                  state: undefined,
                  expires: 0,
                  ended: 0,
                  claim: undefined,
                  until: 0,
                  tries: 0,
                  held: 0,
                  created: 0,
                },
                real: {
                  harness: fixture.current,
                  secret,
                  blob,
                  claims: [createClaim(), createClaim(), createClaim()],
                },
              }),
              [...beginning, ...commands],
            );
          },
        ),
        { numRuns: 200 },
      );
    });
  });
}
