import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pino } from "pino";
import { freePort } from "../testing/free-port.ts";
import { httpsGet } from "../testing/https-client.ts";
import { launchServer, type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";
import { createHttpsServer, drain } from "../web/http-server.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { prepareTls } from "./serve-tls.ts";

const DAY = 86_400_000;
const dir = mkdtempSync(join(tmpdir(), "waxseal-https-"));
const servers: ServerProcess[] = [];
after(async () => {
  for (const server of servers) await server.stop();
  rmSync(dir, { recursive: true });
});

async function start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startServer(env);
  servers.push(server);
  return server;
}

function writePair(name: string, { cert, key }: { cert: string; key: string }) {
  const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
  return { ...files, env: { TLS_CERT_FILE: files.certFile, TLS_KEY_FILE: files.keyFile } };
}

async function endOf(env: Readonly<Record<string, string>>, args: readonly string[] = [], port?: number) {
  const server = launchServer(port ?? (await freePort()), env, args);
  return { code: await server.ended, output: server.output() };
}

describe("The process itself, with TLS=self-signed", () => {
  it("serves https with the certificate whose fingerprint it prints, and no plain http", async () => {
    const { port, output } = await start({ TLS: "self-signed" });
    await until(() => output().includes("fingerprint"));
    const answer = await httpsGet(`https://127.0.0.1:${port}/`);
    assert.equal(answer.status, 200);
    assert.match(answer.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert(output().includes(answer.fingerprint));
    assert(output().includes(`ready at https://localhost:${port}`));
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  });

  it("says so for another host than this machine, and sends no HSTS, which outlives the certificate", async () => {
    const { port, output } = await start({ TLS: "self-signed", PUBLIC_URL: "https://secrets.lan" });
    const answer = await httpsGet(`https://127.0.0.1:${port}/`);
    assert.equal(answer.headers["strict-transport-security"], undefined);
    assert.match(output(), /listening on https:\/\/127\.0\.0\.1:\d+ .*\n.*made just now for secrets\.lan/);
  });

  it("passes its own health check", async () => {
    const env = { TLS: "self-signed" };
    const { port } = await start(env);
    assert.equal((await endOf(env, ["healthcheck"], port)).code, 0);
    assert.equal((await endOf({}, ["healthcheck"], port)).code, 1);
  });
});

describe("The process itself, with certificate files", () => {
  it("serves https with HSTS, sends plain http on, and keeps metrics on plain http", async () => {
    const pair = makeSelfSigned("localhost", Date.now());
    const [redirectPort, metricsPort] = [String(await freePort()), String(await freePort())];
    const more = { REDIRECT_PORT: redirectPort, METRICS_PORT: metricsPort };
    const { port, output } = await start({ ...writePair("files", pair).env, ...more });
    const answer = await httpsGet(`https://127.0.0.1:${port}/`);
    assert.equal(answer.fingerprint, pair.leaf.fingerprint256);
    assert.equal(answer.headers["strict-transport-security"], "max-age=31536000");
    assert(output().includes(`ready at https://localhost:${port}`));
    const redirected = await fetch(`http://127.0.0.1:${redirectPort}/s`, { redirect: "manual" });
    assert.equal(redirected.headers.get("location"), `https://localhost:${port}/s`);
    assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status, 200);
  });

  it("speaks TLS 1.3 and 1.2 with forward secrecy, and nothing older or weaker", async () => {
    const { port } = await start(writePair("modern", makeSelfSigned("localhost", Date.now())).env);
    const url = `https://127.0.0.1:${port}/healthz`;
    const seclevel = "DEFAULT@SECLEVEL=0";
    assert.equal((await httpsGet(url)).protocol, "TLSv1.3");
    assert.equal((await httpsGet(url, { maxVersion: "TLSv1.2" })).protocol, "TLSv1.2");
    await assert.rejects(
      httpsGet(url, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: seclevel }),
      /alert protocol version|unsupported protocol|EPROTO/,
    );
    for (const ciphers of ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"]) {
      await assert.rejects(httpsGet(url, { maxVersion: "TLSv1.2", ciphers }), /handshake failure|EPROTO/);
    }
  });

  it("does not start with a key of another certificate, and says what to do", async () => {
    const { cert } = makeSelfSigned("localhost", Date.now());
    const { key } = makeSelfSigned("localhost", Date.now());
    const { code, output } = await endOf(writePair("mismatch", { cert, key }).env);
    assert.equal(code, 1);
    assert.match(
      output,
      /did not start: TLS_CERT_FILE and TLS_KEY_FILE do not belong together.*issued together/,
    );
  });

  for (const [what, publicUrl, age, message] of [
    ["near its end", "https://localhost", 390, /runs out in 5 days.*Renew it/],
    ["past its end", "https://localhost", 500, /ran out on .*Renew it/],
    ["for another name", "https://other.lan", 0, /not for other\.lan.*it is for DNS:localhost/],
  ] as const) {
    it(`starts with a certificate ${what}, and warns`, async () => {
      const { env } = writePair(
        what.replaceAll(" ", "-"),
        makeSelfSigned("localhost", Date.now() - age * DAY),
      );
      const { output } = await start({ ...env, PUBLIC_URL: publicUrl });
      await until(() => message.test(output()));
    });
  }

  it("drains on SIGTERM and ends with 0", async () => {
    const server = await start(writePair("drain", makeSelfSigned("localhost", Date.now())).env);
    assert.equal((await httpsGet(`https://127.0.0.1:${server.port}/readyz`)).status, 200);
    server.signal("SIGTERM");
    assert.equal(await server.ended, 0);
  });
});

describe("A renewed certificate", () => {
  it("is served without a restart; a broken one is logged and the old one stays", async () => {
    const [first, second, third] = [1, 2, 3].map(() => makeSelfSigned("localhost", Date.now()));
    assert(first && second && third);
    const { certFile, keyFile } = writePair("renewed", first);
    const lines: { level: number; msg: string }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const tls = prepareTls({ kind: "files", certFile, keyFile }, new URL("https://localhost"), log, 5);
    assert(tls);
    const server = createHttpsServer(
      (_req, res) => void res.end("ok"),
      () => false,
      tls.pair,
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    assert(address && typeof address === "object");
    const url = `https://127.0.0.1:${address.port}/`;
    const watch = tls.keepCurrent(server);
    const shown = async () => (await httpsGet(url)).fingerprint;
    try {
      assert.equal(await shown(), first.leaf.fingerprint256);
      writeFileSync(certFile, second.cert);
      await until(() => lines.some(({ level }) => level === 50));
      assert.match(lines.at(-1)?.msg ?? "", /new certificate is not used, the old one stays.*do not belong/);
      assert.equal(await shown(), first.leaf.fingerprint256);
      writeFileSync(keyFile, second.key);
      await until(async () => (await shown()) === second.leaf.fingerprint256);
      // The policy must not be lost with the first renewal.
      await assert.rejects(httpsGet(url, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" }));
      writePair("renewed", third);
      await until(async () => (await shown()) === third.leaf.fingerprint256);
    } finally {
      watch.stop();
      await drain(server, 1000);
    }
  });
});
