import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { until } from "../testing/until.ts";
import type { CertificatePair } from "./certificate-pair.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { watchCertificate } from "./watch-certificate.ts";

const root = mkdtempSync(join(tmpdir(), "waxseal-watch-"));
const watches: { stop(): void }[] = [];
after(() => {
  for (const watch of watches) watch.stop();
  rmSync(root, { recursive: true });
});

const pairs = [1, 2, 3].map(() => makeSelfSigned("localhost", Date.now())) as [
  CertificatePair,
  CertificatePair,
  CertificatePair,
];

/** Files as Kubernetes mounts them: tls.crt → ..data/tls.crt, ..data → a folder that is swapped whole. */
function mount(name: string, first: CertificatePair) {
  const dir = join(root, name);
  mkdirSync(dir);
  let version = 0;
  const swap = ({ cert, key }: { cert: string; key: string }) => {
    version += 1;
    mkdirSync(join(dir, `..${version}`));
    writeFileSync(join(dir, `..${version}`, "tls.crt"), cert);
    writeFileSync(join(dir, `..${version}`, "tls.key"), key);
    symlinkSync(`..${version}`, join(dir, "..data_tmp"));
    renameSync(join(dir, "..data_tmp"), join(dir, "..data"));
  };
  swap(first);
  const files = { certFile: join(dir, "tls.crt"), keyFile: join(dir, "tls.key") };
  symlinkSync("..data/tls.crt", files.certFile);
  symlinkSync("..data/tls.key", files.keyFile);
  const taken: string[] = [];
  const broken: string[] = [];
  watches.push(
    watchCertificate({
      ...files,
      current: first,
      every: 5,
      onChange: ({ leaf }) => taken.push(leaf.fingerprint256),
      onBroken: (message) => broken.push(message),
    }),
  );
  return { dir, files, swap, taken, broken };
}

describe("Certificate files", () => {
  it("are read again when the folder behind their links is swapped", async () => {
    const [first, second, third] = pairs;
    const { swap, taken, broken } = mount("swapped", first);
    swap(second);
    await until(() => taken.length === 1);
    swap(third);
    await until(() => taken.length === 2);
    assert.deepEqual(taken, [second.leaf.fingerprint256, third.leaf.fingerprint256]);
    assert.deepEqual(broken, []);
  });

  it("are told of once and not used while they don't fit each other, and used when they do", async () => {
    const [first, second, third] = pairs;
    const { swap, taken, broken } = mount("mismatched", first);
    swap({ cert: second.cert, key: third.key });
    await until(() => broken.length === 1);
    assert.match(broken[0] ?? "", /do not belong together/);
    swap(third);
    await until(() => taken.length === 1);
    assert.deepEqual(taken, [third.leaf.fingerprint256]);
    assert.equal(broken.length, 1);
  });

  it("may go away, which is told of, and come back as they were", async () => {
    const [first, second] = pairs;
    const { dir, swap, taken, broken } = mount("gone", first);
    renameSync(join(dir, "..data"), join(dir, "..away"));
    await until(() => broken.length === 1);
    assert.match(broken[0] ?? "", /can't be read any more/);
    swap(second);
    await until(() => taken.length === 1);
  });
});
