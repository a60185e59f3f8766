import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

interface TestFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const file = (name: string, length: number): TestFile => ({
  name,
  bytes: new Uint8Array(length).map((_, i) => (7 * i + (i >> 8)) & 255),
});
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The form as a browser without script gets it. */
async function formAt(url: string) {
  const answer = await fetch(url);
  const html = await answer.text();
  const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? "";
  const cookie = answer.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  return { cookie, csrf: value("csrf"), claim: value("claim") };
}

async function submit(url: string, encode: (form: Record<string, string>) => FormData | URLSearchParams) {
  const { cookie, ...hidden } = await formAt(url);
  return fetch(url, { method: "POST", headers: { Cookie: cookie }, body: encode(hidden) });
}

const create = (url: string, files: readonly TestFile[], secret = "") =>
  submit(`${url}/assisted`, (hidden) => {
    const form = new FormData();
    const fields = { ...hidden, secret, passphrase: "", ttl: "3600" };
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    // What a browser sends for a file field in which nothing was chosen.
    if (files.length === 0) form.append("files", new File([], ""), "");
    for (const { name, bytes } of files) form.append("files", new File([bytes], name), name);
    return form;
  });

const open = (url: string, fragment: string) =>
  submit(
    `${url}/assisted/open`,
    (hidden) => new URLSearchParams({ ...hidden, link: `${url}/s#${fragment}` }),
  );

async function openedFrom(url: string, created: Response): Promise<Response> {
  const fragment = /\/s#([\w-]+)/.exec(await created.text())?.[1] ?? "";
  assert.notEqual(fragment, "", "no link was made");
  return open(url, fragment);
}

/** Names and bytes of the files that a page carries in itself. */
function filesOn(html: string): TestFile[] {
  const pattern = /download="([^"]*)" href="data:application\/octet-stream;base64,([^"]*)"/g;
  return [...html.matchAll(pattern)].map(([, name = "", base64 = ""]) => ({
    name,
    bytes: new Uint8Array(Buffer.from(base64, "base64")),
  }));
}

/** Entries of a ZIP without compression, read by its local headers and data descriptors' central copies. */
function entriesOf(zip: Buffer): TestFile[] {
  const entries: TestFile[] = [];
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1")) + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [size, nameLength] = [zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28)];
    const rest = zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    const local = zip.readUInt32LE(at + 42);
    const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    entries.push({
      name: zip.toString("utf8", at + 46, at + 46 + nameLength),
      bytes: new Uint8Array(zip.subarray(data, data + size)),
    });
    at += 46 + nameLength + rest;
  }
  return entries;
}

const listening = <T>(use: (url: string, app: TestApp) => Promise<T>, env: Record<string, string> = {}) => {
  const app = createTestApp({ env });
  return app.listening((url) => use(url, app));
};

describe("files on the assisted pages", () => {
  it("come out byte by byte as they went in, empty ones and names in any script too, with the text", async () => {
    await listening(async (url) => {
      const files = [
        file("键.pem", 300),
        file("empty", 0),
        file("Straße & Café.env", 65_537),
        file("سر.txt", 1),
      ];
      const opened = await openedFrom(url, await create(url, files, "The key is for the old server."));
      const html = await opened.text();
      assert.match(html, /The key is for the old server\./);
      const found = filesOn(html.replaceAll("&amp;", "&"));
      assert.deepEqual(
        found.map(({ name }) => name),
        files.map(({ name }) => name),
      );
      for (const [i, { bytes }] of files.entries()) assert.deepEqual(found[i]?.bytes, bytes);
    });
  });

  it("of several megabytes are stored in blocks and come back as one ZIP with the text in it", async () => {
    await listening(async (url) => {
      const files = [file("large.bin", 3_000_001), file("large.bin", 70_000)];
      const opened = await openedFrom(url, await create(url, files, "Two of them."));
      assert.equal(opened.headers.get("Content-Type"), "application/octet-stream");
      assert.equal(opened.headers.get("Content-Disposition"), 'attachment; filename="secret.zip"');
      const entries = entriesOf(Buffer.from(await opened.arrayBuffer()));
      assert.deepEqual(
        entries.map(({ name }) => name),
        ["secret.txt", "large.bin", "large (2).bin"],
      );
      assert.equal(Buffer.from(entries[0]?.bytes ?? []).toString(), "Two of them.");
      for (const [i, { bytes }] of files.entries()) {
        assert.equal(sha256(entries[i + 1]?.bytes ?? new Uint8Array()), sha256(bytes));
      }
    });
  });

  it("are not needed, and neither is a text where there are some, but one of them is", async () => {
    await listening(async (url) => {
      const one = await openedFrom(url, await create(url, [file("only.bin", 10)]));
      assert.equal(filesOn(await one.text()).length, 1);
      const text = await openedFrom(url, await create(url, [], "only text"));
      assert.match(await text.text(), /only text/);
      const nothing = await create(url, []);
      assert.equal(nothing.status, 400);
      assert.match(await nothing.text(), /Enter a secret or add a file/);
    });
  });

  it("that are too large or too many are refused with the limit in words and the text still there", async () => {
    await listening(
      async (url, app) => {
        for (const files of [[file("big.bin", 300_000)], Array.from({ length: 4 }, () => file("a", 1))]) {
          const refused = await create(url, files, "This stays in the form.");
          assert.equal(refused.status, 413);
          const html = await refused.text();
          assert.match(html, /The limit is 200 KB in all, in at most 3 files\./);
          assert.match(html, /This stays in the form\./);
        }
        assert.equal(await app.store.countPending(), 0);
      },
      { MAX_SECRET_BYTES: "200KiB", MAX_FILES: "3" },
    );
  });

  it("are refused where the form was cut short or is none, and the server goes on", async () => {
    await listening(async (url) => {
      const type = "multipart/form-data; boundary=x";
      for (const [headers, body] of [
        [type, '--x\r\nContent-Disposition: form-data; name="secret"\r\n\r\nhalf'],
        ["multipart/form-data", "--x--"],
        [type, ""],
      ] as const) {
        const answer = await fetch(`${url}/assisted`, {
          method: "POST",
          headers: { "Content-Type": headers },
          body,
        });
        assert.ok([400, 403].includes(answer.status), `${answer.status} for ${headers}`);
      }
      const fine = await openedFrom(url, await create(url, [file("a", 5)]));
      assert.equal(filesOn(await fine.text()).length, 1);
    });
  });

  it("and a text that is sent compressed or as anything but a form are refused, and the server goes on", async () => {
    await listening(async (url) => {
      const post = (headers: Record<string, string>) =>
        fetch(`${url}/assisted`, { method: "POST", headers, body: "secret=text" });
      const form = "application/x-www-form-urlencoded";
      assert.equal((await post({ "Content-Type": form, "Content-Encoding": "gzip" })).status, 400);
      assert.equal((await post({ "Content-Type": "text/plain" })).status, 403);
      const fine = await openedFrom(url, await create(url, [file("a", 5)]));
      assert.equal(filesOn(await fine.text()).length, 1);
    });
  });

  it("that make a secret too large for the page leave it sealed, and the page says where it opens", async () => {
    await listening(
      async (url, app) => {
        const secret = await sealSecret({ text: "x".repeat(31 * 2 ** 20) });
        await app.upload(secret, 8_000_000);
        const refused = await open(url, secret.linkFragment);
        assert.equal(refused.status, 413);
        assert.match(await refused.text(), /larger than 25 MB.*still sealed/);
        assert.equal(await app.store.countPending(), 1);
      },
      { MAX_SECRET_BYTES: "40MiB" },
    );
  });
});
