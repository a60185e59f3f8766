import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createClaim, type SecretId } from "../envelope/tokens.ts";
import { anyDigest, newSecret, seconds } from "../testing/new-secret.ts";
import { type MakeStore, useStore } from "./contract-harness.ts";
import {
  addNote,
  begin,
  createModel,
  end,
  expectedCalls,
  hasten,
  isLive,
  isUnended,
  looked,
  MODEL_LIMITS,
  QUIET,
  TTL,
} from "./contract-model-state.ts";
import { NOTES, QUARTERS, step } from "./contract-model-step.ts";
import type { NewSecret, NoteKind } from "./store.ts";

const ALL_HELD = 2 ** QUARTERS - 1;

const create = step("create", async (model, { harness, secret }) => {
  const result = await harness.store.create(secret);
  assert(result.kind === "created");
  assert.equal(result.existed, model.state !== undefined);
  if (result.existed) {
    model.mayBeStray ||= !isUnended(model);
    return;
  }
  if (secret.blob) begin(model, "sealed", TTL);
  else begin(model, "uploading", MODEL_LIMITS.uploads.idle);
});

const write = (quarter: number) =>
  step(`write ${quarter}`, async (model, { harness, secret, blob }) => {
    const length = secret.size / QUARTERS;
    const start = quarter * length;
    const result = await harness.store.writeBlob(secret.id, start, blob.subarray(start, start + length));
    if (model.state === undefined) assert.equal(result.kind, "missing");
    else if (isLive(model)) assert.equal(result.kind, "sealed");
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
  else if (isLive(model)) assert(result.kind === "sealed" && !result.first);
  else if (model.state !== "uploading") {
    assert(result.kind === "ended");
    assert.equal(result.state, model.state);
  } else if (model.held !== ALL_HELD) assert.equal(result.kind, "incomplete");
  else {
    assert(result.kind === "sealed" && result.first);
    Object.assign(model, { state: "sealed", expires: model.now + TTL });
    model.events.push("sealed");
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
    hasten(model);
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
      model.events.push("wrong-passphrase");
      if (triesLeft === 0) {
        model.state = "locked";
        model.events.push("locked");
      }
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
    if (!mine) return;
    model.until = 0;
    if (!model.events.includes("received")) model.events.push("received");
  });

const remove = step("delete", async (model, { harness, secret }) => {
  const result = await harness.store.delete(secret.id);
  hasten(model);
  if (model.state === undefined) assert.equal(result.kind, "missing");
  else if (isLive(model) || model.state === "uploading") {
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
  hasten(model);
  if (model.state === undefined) assert.equal(result.kind, "missing");
  else if (model.state === "uploading") assert.equal(result.kind, "unlocked");
  else if (isLive(model)) {
    assert.equal(result.kind, "unlocked");
    if (model.tries > 0) model.events.push("unlocked");
    Object.assign(model, { state: "sealed", tries: 0 });
  } else assert.equal(result.kind, "ended");
});

const note = (kind: NoteKind, times: number) =>
  step(`note ${kind} ${times} times`, async (model, { harness, secret }) => {
    const quiet = times === 1 ? QUIET : 0;
    for (let count = 0; count < times; count++) {
      const result = await harness.store.note(secret.id, kind, quiet * 1000);
      if (model.state === undefined || model.state === "uploading") assert.equal(result.kind, "missing");
      else if (isLive(model)) {
        if (kind !== "visited") hasten(model);
        assert.equal(result.kind, addNote(model, kind, quiet) ? "noted" : "quiet");
      } else {
        assert(result.kind === "ended");
        assert.equal(result.state, model.state);
      }
    }
  });

const collect = (didTell: boolean) =>
  step(didTell ? "collect" : "fail to tell", async (model, { harness, secret, followEnds }) => {
    let calls = 0;
    const beforeForget = async (id: SecretId) => {
      // Those of the runs before lie in the same store.
      if (id !== secret.id) return;
      calls += 1;
      if (!didTell) throw new TypeError("Nobody is told.");
    };
    // Of a secret that expires the report is passed on, and not the rejection.
    await harness.store.collectExpired(beforeForget).catch((error: unknown) => {
      assert(error instanceof TypeError && !didTell);
    });
    await harness.store.collectAbandoned();
    assert((followEnds ? expectedCalls(model) : [0]).includes(calls), `${calls} calls`);
    if (calls > 0) looked(model, didTell);
  });

const claim = fc.nat({ max: 2 });
const STEPS = [
  fc.constant(create),
  fc.constant(remove),
  fc.constant(unlock),
  fc.boolean().map(collect),
  fc.constant(collect(true)),
  fc.tuple(fc.constantFrom(...NOTES), fc.constantFrom(1, 1, 20)).map(([kind, times]) => note(kind, times)),
  fc.nat({ max: QUARTERS - 1 }).map(write),
  fc.constant(seal),
  fc.integer({ min: 1, max: 45 }).map(advance),
  fc.constant(advance(1)),
  claim.map(acknowledge),
  fc.tuple(fc.option(claim, { nil: undefined }), fc.boolean()).map(([who, right]) => open(who, right)),
  fc.tuple(claim, fc.constant(true)).map(([who, right]) => open(who, right)),
];

export function modelContract(makeStore: MakeStore): void {
  describe("in any order", () => {
    for (const followEnds of [false, true]) {
      const fixture = useStore(makeStore, MODEL_LIMITS, followEnds);
      const how = followEnds ? ", and tells of it" : "";

      it(`does what a model of one secret does, whatever is called when${how}`, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.commands(STEPS, { maxCommands: 25, size: "max" }),
            fc.boolean(),
            async (commands, inline) => {
              const { blob, ...others } = newSecret({ ttl: seconds(TTL), sender: "somebody" });
              const secret: NewSecret = inline ? { ...others, blob } : others;
              // Most uploads should get as far as a seal.
              const beginning = inline ? [create] : [create, write(2), write(0), write(1)];
              const claims = [createClaim(), createClaim(), createClaim()];
              await fc.asyncModelRun(
                () => ({
                  model: createModel(),
                  real: { harness: fixture.current, secret, blob, claims, followEnds },
                }),
                [...beginning, ...commands],
              );
            },
          ),
          { numRuns: 200 },
        );
      });
    }
  });
}
