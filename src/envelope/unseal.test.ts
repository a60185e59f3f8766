import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UnreadableError } from "./errors.ts";
import { CHUNK_BYTES, PREFIX_BYTES, TAG_BYTES } from "./layout.ts";
import { textPart } from "./parts.ts";
import { sealParts } from "./seal.ts";
import { derive, frame, sealPlaintext } from "./second-implementation.ts";
import { collect, cut, expectUnreadable, filePart, fillingPart, makeSealer, sealToBlob } from "./testing.ts";
import { unseal, unsealWhole } from "./unseal.ts";

const sealer = await makeSealer();
const { keys, share } = sealer;
const blob = await sealToBlob(sealer, [fillingPart(3 * CHUNK_BYTES)]);
const damaged = blob.slice();
damaged[blob.length - 1] = (damaged[blob.length - 1] ?? 0) ^ 1;

interface Seen {
  asked: number;
  stopped: number;
}

/** The blob in pieces of 10,000 bytes, from a source that tells what was asked of it. */
function observed(bytes: Uint8Array, onStop: () => void = () => {}) {
  const seen: Seen = { asked: 0, stopped: 0 };
  const inner = cut(bytes, [10_000]);
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next() {
        seen.asked += 1;
        return inner.next();
      },
      async return() {
        seen.stopped += 1;
        onStop();
        return { done: true, value: undefined };
      },
    }),
  };
  return { seen, source };
}

describe("opening", () => {
  it("tells what is inside before the first byte of it, and gives chunk after chunk", async () => {
    const kinds: string[] = [];
    for await (const piece of unseal(keys, share, cut(blob))) kinds.push(piece.kind);
    assert.deepEqual(kinds, ["parts", "data", "data", "data"]);
  });

  it("passes a fault of the source on as it is, wherever it strikes: a lost connection is not a bad secret", async () => {
    const fault = new TypeError("network error");
    for (const after of [
      0,
      10,
      32,
      63,
      PREFIX_BYTES,
      1000,
      PREFIX_BYTES + CHUNK_BYTES + TAG_BYTES,
      blob.length,
    ]) {
      async function* source() {
        yield* cut(blob.subarray(0, after), [9999]);
        throw fault;
      }
      await assert.rejects(
        collect(unseal(keys, share, source())),
        (error) => error === fault,
        `after ${after}`,
      );
    }
  });

  it("passes the fault on even where the failed source can't be stopped either", async () => {
    const fault = new Error("connection reset");
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(fault),
        return: () => Promise.reject(new Error("already gone")),
      }),
    };
    await assert.rejects(collect(unseal(keys, share, source)), (error) => error === fault);
  });

  it("passes on that a source can't be read at all", async () => {
    const stream = new ReadableStream<Uint8Array>();
    stream.getReader();
    await assert.rejects(collect(unseal(keys, share, stream)), (error) => {
      assert.ok(!(error instanceof UnreadableError));
      return error instanceof TypeError;
    });
  });

  it("reads a ReadableStream, and cancels it when the blob is bad", async () => {
    const streamOf = (bytes: Uint8Array, cancelled: unknown[]) =>
      new ReadableStream<Uint8Array>(
        {
          start(controller) {
            controller.enqueue(bytes);
          },
          cancel: (reason) => void cancelled.push(reason),
        },
        { highWaterMark: 0 },
      );
    const cancelled: unknown[] = [];
    await expectUnreadable(collect(unseal(keys, share, streamOf(damaged, cancelled))), "damaged");
    assert.equal(cancelled.length, 1);
  });

  it("stops its source once when it is abandoned half-way or the blob is bad, and not when it ended", async () => {
    const abandoned = observed(blob);
    for await (const piece of unseal(keys, share, abandoned.source)) if (piece.kind === "data") break;
    assert.equal(abandoned.seen.stopped, 1);

    const bad = observed(damaged);
    await expectUnreadable(collect(unseal(keys, share, bad.source)), "damaged");
    assert.equal(bad.seen.stopped, 1);

    const badHeader = observed(damaged.subarray(1));
    await expectUnreadable(collect(unseal(keys, share, badHeader.source)), "shifted");
    assert.deepEqual(badHeader.seen, { asked: 1, stopped: 1 });

    const whole = observed(blob);
    await collect(unseal(keys, share, whole.source));
    assert.equal(whole.seen.stopped, 0);
  });

  it("stays opaque, or silent when abandoned, where the source fails to stop", async () => {
    const fail = () => {
      throw new Error("will not stop");
    };
    await expectUnreadable(collect(unseal(keys, share, observed(damaged, fail).source)), "damaged");
    for await (const piece of unseal(keys, share, observed(blob, fail).source))
      if (piece.kind === "data") break;
  });

  it("gives nothing of a chunk that isn't sound, and nothing at all with a wrong share", async () => {
    let given = 0;
    const attempt = (async () => {
      for await (const piece of unseal(keys, share, cut(damaged))) if (piece.kind === "data") given += 1;
    })();
    await expectUnreadable(attempt, "damaged");
    assert.equal(given, 2); // the third chunk is the damaged one

    const { share: other } = await makeSealer();
    const kinds: string[] = [];
    const wrong = (async () => {
      for await (const piece of unseal(keys, other, cut(blob))) kinds.push(piece.kind);
    })();
    await expectUnreadable(wrong, "wrong share");
    assert.deepEqual(kinds, []);
  });

  it("leaves no plaintext in its own buffers when it ends, fails or is abandoned", async (t) => {
    const decrypted: Uint8Array[] = [];
    const decrypt = crypto.subtle.decrypt.bind(crypto.subtle);
    t.mock.method(crypto.subtle, "decrypt", async (...args: Parameters<typeof decrypt>) => {
      const plaintext = await decrypt(...args);
      decrypted.push(new Uint8Array(plaintext));
      return plaintext;
    });
    await collect(unseal(keys, share, cut(blob)));
    assert.equal(decrypted.length, 3);
    await expectUnreadable(collect(unseal(keys, share, cut(damaged))), "damaged");
    for (const stopAfter of [1, 2, 3]) {
      let pieces = 0;
      for await (const _ of unseal(keys, share, cut(blob))) if (++pieces === stopAfter) break;
    }
    assert.ok(decrypted.every((bytes) => bytes.every((byte) => byte === 0)));
  });

  it("gives bytes of its own: what the caller does to them changes nothing that follows", async () => {
    const parts = [textPart("a".repeat(100)), filePart(new Uint8Array(1000).fill(7)), textPart("b")];
    const contents: string[] = [];
    for await (const piece of unseal(keys, share, cut(await sealToBlob(sealer, parts)))) {
      if (piece.kind !== "data") continue;
      contents.push(Buffer.from(piece.bytes).toString("latin1"));
      new Uint8Array(piece.bytes.buffer).fill(0xff);
    }
    assert.deepEqual(contents, ["a".repeat(100), "\x07".repeat(1000), "b"]);
  });

  it("reads no further than it must for what it gives, over 64 MiB", async (t) => {
    const count = 1024;
    async function* zeros() {
      for (let i = 0; i < count; i++) yield new Uint8Array(CHUNK_BYTES);
    }
    const sealing = sealParts(keys, share, [{ kind: "file", size: count * CHUNK_BYTES, content: zeros() }]);
    let [pulled, given, ahead, highest, bytes] = [0, 0, 0, 0, 0];
    async function* source() {
      for await (const piece of sealing.pieces) {
        pulled += 1;
        yield piece;
      }
    }
    for await (const piece of unseal(keys, share, source())) {
      if (piece.kind !== "data") continue;
      given += 1;
      bytes += piece.bytes.length;
      ahead = Math.max(ahead, pulled - given);
      highest = Math.max(highest, process.memoryUsage().arrayBuffers);
    }
    t.diagnostic(
      `64 MiB opened, ${ahead} piece(s) ahead, ${Math.round(highest / 2 ** 20)} MiB of buffers at most`,
    );
    assert.equal(bytes, count * CHUNK_BYTES);
    assert.ok(ahead <= 1, `${ahead} pieces were read ahead`);
  });

  it("gives a blob in memory out whole, or not at all, with no plaintext left behind", async (t) => {
    const parts = [textPart("hunter2"), filePart(new Uint8Array(200_000).fill(7), "f"), textPart("")];
    const whole = await sealToBlob(sealer, parts);
    const opened = await unsealWhole(keys, share, whole);
    assert.deepEqual(
      opened.map(({ name, size }) => [name, size]),
      [
        [undefined, 7],
        ["f", 200_000],
        [undefined, 0],
      ],
    );
    assert.ok(opened.every(({ bytes }, i) => Buffer.compare(bytes, parts[i]?.content as Uint8Array) === 0));

    const made: Uint8Array[] = [];
    const set = Uint8Array.prototype.set;
    t.mock.method(Uint8Array.prototype, "set", function (this: Uint8Array, ...args: Parameters<typeof set>) {
      if (this.length === 200_000) made.push(this);
      set.apply(this, args);
    });
    whole[whole.length - 1] = (whole[whole.length - 1] ?? 0) ^ 1;
    await expectUnreadable(unsealWhole(keys, share, whole), "damaged at the end");
    assert.ok(made.length > 0 && made.every((bytes) => bytes.every((byte) => byte === 0)));
  });

  it("asks for no more memory than a blob takes, whatever sizes its sender wrote and sealed", async () => {
    const derived = await derive({ k: Buffer.from(sealer.link.key), share: Buffer.from(share) });
    for (const claimed of [2 ** 33, 2 ** 40, 2 ** 52]) {
      const meta = `{"parts":[{"kind":"file","size":${claimed - 100}}]}`;
      const hostile = sealPlaintext(derived, frame(meta, new Uint8Array(3 * CHUNK_BYTES)), claimed);
      await expectUnreadable(unsealWhole(keys, share, hostile), `${claimed} bytes claimed`);
      let given = 0;
      const attempt = (async () => {
        for await (const piece of unseal(keys, share, cut(hostile))) given += piece.kind === "data" ? 1 : 0;
      })();
      await expectUnreadable(attempt, "streaming");
      assert.equal(given, 3); // what did arrive is sound, and is given chunk by chunk
    }
    for (const length of [0, 1, 31, 32, 64]) {
      await expectUnreadable(unsealWhole(keys, share, blob.slice(0, length)), `${length} bytes`);
    }
  });

  it("asks for little memory whatever length a header claims", async () => {
    const header = blob.slice(0, PREFIX_BYTES);
    new DataView(header.buffer).setBigUint64(24, 2n ** 52n);
    const before = process.memoryUsage().arrayBuffers;
    const { seen, source } = observed(header);
    await expectUnreadable(collect(unseal(keys, share, source)), "4 PiB claimed");
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
    assert.equal(seen.asked, 1);
  });
});
