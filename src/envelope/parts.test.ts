import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UnsealableError } from "./errors.ts";
import { createLinkSecret } from "./link.ts";
import { encodeMeta, parseMeta, textPart } from "./parts.ts";
import { derive, frame, sealPlaintext } from "./second-implementation.ts";
import { SUITE_PLAIN } from "./suite.ts";
import { expectUnreadable, makeSealer, open } from "./testing.ts";

const sealer = await makeSealer(createLinkSecret(SUITE_PLAIN));
const derived = await derive({ k: Buffer.from(sealer.link.key), share: Buffer.from(sealer.share) });

/** What the envelope says to a plaintext that only another program would seal. */
const openPlaintext = (plaintext: Uint8Array, length?: number) =>
  open(sealer, sealPlaintext(derived, plaintext, length));
const openMeta = (meta: string | Uint8Array, data = "hunter2") =>
  openPlaintext(frame(meta, Buffer.from(data)));

const one = (fields: string) => `{"parts":[{${fields}}]}`;

describe("a hand-made description of the parts", () => {
  it("is read where it is as the envelope writes it", async () => {
    const { parts, contents } = await openMeta(one('"kind":"text","size":7'));
    assert.deepEqual(parts, [{ kind: "text", size: 7 }]);
    assert.equal(Buffer.from(contents[0] ?? "").toString(), "hunter2");
  });

  const refused: Record<string, string> = {
    "an unknown key in a part": one('"kind":"text","size":7,"x":1'),
    "an unknown key beside the parts": '{"parts":[{"kind":"text","size":7}],"v":1}',
    "__proto__ in a part": one('"kind":"text","size":7,"__proto__":{}'),
    "__proto__ beside the parts": '{"parts":[{"kind":"text","size":7}],"__proto__":{}}',
    "a size twice": one('"kind":"text","size":1,"size":7'),
    "a kind twice": one('"kind":"file","kind":"text","size":7'),
    "the parts twice": '{"parts":[],"parts":[{"kind":"text","size":7}]}',
    "keys in another order": one('"size":7,"kind":"text"'),
    "white space": '{"parts": [{"kind":"text","size":7}]}',
    "a line end behind it": `${one('"kind":"text","size":7')}\n`,
    "an escape that isn't needed": one('"kind":"te\\u0078t","size":7'),
    "a byte order mark": `\ufeff${one('"kind":"text","size":7')}`,
    "a size in another notation": one('"kind":"text","size":7.0'),
    "a size with an exponent": one('"kind":"text","size":7e0'),
    "a negative size": '{"parts":[{"kind":"text","size":8},{"kind":"text","size":-1}]}',
    "a size of minus zero": '{"parts":[{"kind":"text","size":7},{"kind":"text","size":-0}]}',
    "a fractional size": '{"parts":[{"kind":"text","size":6.5},{"kind":"text","size":0.5}]}',
    "a size in quotes": one('"kind":"text","size":"7"'),
    "no size": one('"kind":"text"'),
    "a null size": one('"kind":"text","size":null'),
    "a size past all whole numbers": one('"kind":"text","size":9007199254740992'),
    "an infinite size": one('"kind":"text","size":1e999'),
    "sizes whose sum is past all whole numbers":
      '{"parts":[{"kind":"text","size":9007199254740991},{"kind":"text","size":9007199254740991}]}',
    "a size that reaches far past the end": one('"kind":"text","size":4294967296'),
    "a size of which only the padding would be short": one('"kind":"text","size":5000'),
    "an unknown kind": one('"kind":"folder","size":7'),
    "no kind": one('"size":7'),
    "a name that isn't a text": one('"kind":"file","name":7,"size":7'),
    "a null name": one('"kind":"file","name":null,"size":7'),
    "a type that isn't a text": one('"kind":"file","type":["a"],"size":7'),
    "parts that aren't a list": '{"parts":{"kind":"text","size":7}}',
    "a part that isn't an object": '{"parts":[null]}',
    "a part that is a list": '{"parts":[["text",7]]}',
    "a list": '[{"kind":"text","size":7}]',
    null: "null",
    nothing: "",
    "half a description": '{"parts":[{"kind":"text","si',
    "something behind the description": `${one('"kind":"text","size":7')}{}`,
  };
  for (const [what, meta] of Object.entries(refused)) {
    it(`is refused for ${what}`, () => expectUnreadable(openMeta(meta), what));
  }

  it("is refused for a list of nothing, though nothing follows", async () => {
    await expectUnreadable(openMeta('{"parts":[]}', ""), "no parts");
  });

  it("is read up to a thousand files and a text, and refused for one part more", async () => {
    const many = (count: number) =>
      openMeta(`{"parts":[${Array(count).fill('{"kind":"file","size":0}').join()}]}`, "");
    assert.equal((await many(1001)).parts.length, 1001);
    await expectUnreadable(many(1002), "1,002 parts");
  });

  it("is refused for sizes that don't reach the content's end", async () => {
    await expectUnreadable(openMeta(one('"kind":"text","size":6')), "one byte left over");
    await expectUnreadable(openMeta(one('"kind":"text","size":0')), "all left over");
  });

  it("is refused where it isn't UTF-8", async () => {
    for (const bad of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80]]) {
      const meta = Buffer.concat([
        Buffer.from('{"parts":[{"kind":"file","name":"'),
        Buffer.from(bad),
        Buffer.from('","size":7}]}'),
      ]);
      await expectUnreadable(openMeta(meta), String(bad));
    }
  });

  it("is refused for a length that is wrong, reaches past the end, or is beyond all bounds", async () => {
    const meta = one('"kind":"text","size":7');
    for (const claimed of [
      0,
      meta.length - 1,
      meta.length + 1,
      1020,
      1021,
      2 ** 20 + 1,
      2 ** 31,
      2 ** 32 - 1,
    ]) {
      await expectUnreadable(openPlaintext(frame(meta, Buffer.from("hunter2"), claimed)), String(claimed));
    }
    const named = (length: number) => one(`"kind":"file","name":"${"n".repeat(length)}","size":7`);
    const most = 2 ** 20 - named(0).length;
    assert.equal((await openMeta(named(most))).parts[0]?.name?.length, most);
    await expectUnreadable(openMeta(named(most + 1)), "a mebibyte and a byte");
  });
});

describe("a hand-made plaintext", () => {
  const meta = one('"kind":"text","size":7');

  it("is refused for more padding than its content needs", async () => {
    const tight = frame(meta, Buffer.from("hunter2"));
    for (const length of [1088, 2048, 65_536, 131_072]) {
      await expectUnreadable(openPlaintext(Buffer.concat([tight], length)), `${length} bytes`);
    }
  });

  it("is refused for padding that isn't zero, wherever it stands", async () => {
    for (const at of [4 + meta.length + 7, 500, 1023]) {
      const plaintext = frame(meta, Buffer.from("hunter2"));
      plaintext[at] = 1;
      await expectUnreadable(openPlaintext(plaintext), `byte ${at}`);
    }
    const big = frame(one('"kind":"file","size":131040'), Buffer.alloc(131_040)); // two chunks and 4,096 bytes
    assert.equal(big.length, 135_168);
    assert.equal((await openPlaintext(big)).contents[0]?.length, 131_040);
    big[135_167] = 1;
    await expectUnreadable(openPlaintext(big), "the last byte of a later chunk");
  });

  it("is refused where the sealed bytes are fewer or more than the header says", async () => {
    const plaintext = frame(meta, Buffer.from("hunter2"));
    for (const length of [0, 1, 1023, 1088, 2048, 65_536, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      await expectUnreadable(openPlaintext(plaintext, length), `${length} bytes`);
    }
  });
});

describe("what is given to be sealed", () => {
  const isUnsealable = (error: unknown) => error instanceof UnsealableError && error.code === "unsealable";

  it("is described in one order whatever the caller's object looks like", () => {
    const untidy = { size: 1, extra: "x", name: "n", kind: "file", type: "t" } as const;
    const meta = encodeMeta([untidy]);
    assert.equal(Buffer.from(meta).toString(), '{"parts":[{"kind":"file","name":"n","type":"t","size":1}]}');
    assert.deepEqual(parseMeta(meta), [{ kind: "file", name: "n", type: "t", size: 1 }]);
  });

  it("must be at least one part", () => {
    assert.throws(() => encodeMeta([]), isUnsealable);
  });

  it("must have a size that is a whole number", () => {
    for (const size of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.throws(() => encodeMeta([{ kind: "file", size }]), isUnsealable, String(size));
    }
  });

  it("must have names that fit a mebibyte together", () => {
    assert.ok(encodeMeta([{ kind: "file", name: "n".repeat(2 ** 20 - 50), size: 1 }]));
    assert.throws(() => encodeMeta([{ kind: "file", name: "n".repeat(2 ** 20), size: 1 }]), isUnsealable);
  });

  it("may be a thousand files and a text, and is told what to do with more", () => {
    const many = (count: number) => Array.from({ length: count }, () => ({ kind: "file", size: 0 }) as const);
    assert.equal(parseMeta(encodeMeta(many(1001))).length, 1001);
    assert.throws(
      () => encodeMeta(many(1002)),
      (error) =>
        isUnsealable(error) && /1,000 files and a text at most\. Add one zip file/.test(String(error)),
    );
  });

  it("must be text that UTF-8 can carry: half a surrogate pair is refused, not replaced", () => {
    for (const text of ["\ud800", "a\udfffb", "\udc00\ud800", "\u{1f56f}\ud83d"]) {
      assert.throws(() => textPart(text), isUnsealable, JSON.stringify(text));
    }
    assert.equal(textPart("\u{1f56f}").size, 4);
  });
});
