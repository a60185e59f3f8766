import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { argon2id as noble } from "@noble/hashes/argon2.js";
import { argon2id as wasm } from "hash-wasm";
import { argon2id } from "./argon2id.ts";
import { utf8 } from "./bytes.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("Argon2id", () => {
  it("gives RFC 9106's own result, section 5.3", () => {
    const tag = noble(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), {
      m: 32,
      t: 3,
      p: 4,
      version: 0x13,
      dkLen: 32,
      key: new Uint8Array(8).fill(3),
      personalization: new Uint8Array(12).fill(4),
    });
    assert.equal(hex(tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
  });

  it("gives the same as a second implementation, at the suite's cost", async () => {
    const passphrases = ["x", "correct horse battery staple", "naïve 🕯️ \0", "long ".repeat(50)];
    for (const [i, passphrase] of passphrases.entries()) {
      const salt = new Uint8Array(16).fill(i * 61);
      const other = await wasm({
        password: passphrase,
        salt,
        memorySize: 47_104,
        iterations: 1,
        parallelism: 1,
        hashLength: 32,
        outputType: "binary",
      });
      assert.equal(hex(argon2id(utf8(passphrase), salt)), hex(other), passphrase);
    }
  });

  it("gives the same as a second implementation at other costs, with the RFC's lanes, passes and secret", async () => {
    const password = new Uint8Array(32).fill(1);
    const salt = new Uint8Array(16).fill(2);
    const secret = new Uint8Array(8).fill(3);
    for (const [m, t, p, dkLen] of [
      [32, 3, 4, 32],
      [8, 1, 1, 4],
      [257, 2, 3, 64],
      [1024, 1, 2, 100],
    ] as const) {
      const other = await wasm({
        password,
        salt,
        secret,
        memorySize: m,
        iterations: t,
        parallelism: p,
        hashLength: dkLen,
        outputType: "hex",
      });
      assert.equal(hex(noble(password, salt, { m, t, p, version: 0x13, dkLen, key: secret })), other);
    }
  });

  it("leaves its arguments as they are", () => {
    const [passphrase, salt] = [utf8("swordfish"), new Uint8Array(16).fill(9)];
    const result = argon2id(passphrase, salt);
    assert.equal(result.length, 32);
    assert.deepEqual(passphrase, utf8("swordfish"));
    assert.deepEqual(salt, new Uint8Array(16).fill(9));
  });
});
