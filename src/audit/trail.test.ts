import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { canonicalForm } from "./canonical.ts";
import { AUDIT_FORMAT, AUDIT_MEMBERS } from "./record.ts";
import { createTrail } from "./trail.ts";

function collect(version?: string) {
  const lines: Record<string, unknown>[] = [];
  const trail = createTrail({ version, sinks: [(line) => void lines.push({ ...line })], clock: () => 1e12 });
  return { trail, lines };
}

/** By another way than the program's: sorted by JSON.stringify's list of names. */
function hashByHand(line: Record<string, unknown>): string {
  return createHash("sha256")
    .update(JSON.stringify(line, [...AUDIT_MEMBERS]))
    .digest("hex");
}

describe("The audit trail", () => {
  it("gives each line its number and the hash of the line before, and zeros to the first", () => {
    const { trail, lines } = collect("1.2.3");
    trail.write({ audit: "created", secret: "00112233aabbccdd", requestId: "r", address: undefined });
    trail.write({ audit: "denied", secret: "00112233aabbccdd", reason: "refused-hours" });
    assert.deepEqual(
      lines.map(({ audit, seq }) => [audit, seq]),
      [
        ["trail-started", 0],
        ["created", 1],
        ["denied", 2],
      ],
    );
    const [first = {}, second = {}, third = {}] = lines;
    assert.equal(first.prev, "0".repeat(64));
    assert.equal(first.version, "1.2.3");
    assert.equal(first.format, AUDIT_FORMAT);
    assert.equal(second.prev, hashByHand(first));
    assert.equal(third.prev, hashByHand(second));
    assert.equal(trail.position()?.hash, hashByHand(third));
    assert.equal(new Set(lines.map(({ chain }) => chain)).size, 1);
    assert.equal(first.at, "2001-09-09T01:46:40.000Z");
  });

  it("says that it started once, however often it is begun, and is another one in another run", () => {
    const [one, other] = [collect("1"), collect("1")];
    for (const { trail } of [one, one, other]) trail.begin();
    assert.equal(one.lines.length, 1);
    assert.notEqual(one.lines[0]?.chain, other.lines[0]?.chain);
  });

  it("hashes the audit members alone, however a collector spells and orders the line", () => {
    const line = { audit: "opened", secret: "ab", seq: 3, prev: "00", chain: "c", at: "t", requestId: "r" };
    const form = canonicalForm(line);
    assert.equal(
      form,
      '{"at":"t","audit":"opened","chain":"c","prev":"00","requestId":"r","secret":"ab","seq":3}',
    );
    const again = `{"host":{"name":"x"},"requestId":"\\u0072","seq":3.0,"time":"2026-01-01",
      "prev":"00","chain":"c","at":"t","reason":null,"secret":"ab","audit":"open\\u0065d","level":30}`;
    assert.equal(canonicalForm(JSON.parse(again)), form);
  });

  it("has no form for a line with a member that is neither text nor a whole number", () => {
    for (const seq of [1.5, -1, 2 ** 53, true, {}, [1]]) {
      assert.equal(canonicalForm({ audit: "opened", seq }), undefined);
    }
    assert.equal(canonicalForm(JSON.parse('{"__proto__":{"seq":1},"audit":"x"}')), '{"audit":"x"}');
  });

  it("covers these members in this format, and a change of the one needs a change of the other", () => {
    assert.equal(
      `${AUDIT_FORMAT}: ${AUDIT_MEMBERS.join(" ")}`,
      "1: address anchorHash anchorSeq at attempts audit chain channel dropped format prev reason requestId secret seq told version",
    );
  });
});
