// What the files in deploy/compose add to compose.yaml, each brought up and used for real.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { run } from "./engine.ts";
import { createLink, openLink } from "./person.ts";
import { composeFolder, eventually, freePort, overlays, type Rig, startRig } from "./rig.ts";
import { createStack, redisCommand } from "./stack.ts";

async function head(url: string): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: "GET", rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    asked.once("error", reject);
    asked.end();
  });
}

async function makeCertificate(folder: string): Promise<void> {
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")],
  ]);
  // The rig's own throw-away key; the containers run under user ids that own nothing here.
  await run("chmod", ["-R", "a+rX", folder]);
}

describe("the overlays", () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig();
    await makeCertificate(rig.work);
  });

  after(() => rig?.stop());

  it("is accepted with every overlay, each of which says when to use it and how", async () => {
    const env = {
      PUBLIC_URL: "https://secrets.example.com",
      WAXSEAL_DOMAIN: "secrets.example.com",
      TLS_FOLDER: rig.work,
      REDIS_PASSWORD_FILE: join(rig.work, "password"),
    };
    await createStack(rig.engine, "config", [], {}).compose(["config", "--quiet"]);
    for (const name of overlays) {
      const text = readFileSync(join(composeFolder, name), "utf8");
      assert.match(text, /^# When: /, name);
      assert.match(text, new RegExp(`-f compose\\.yaml -f deploy/compose/${name} up -d`), name);
      await createStack(rig.engine, "config", [name], env).compose(["config", "--quiet"]);
    }
  });

  it("takes a password from a file instead", async (t) => {
    const file = join(rig.work, "password");
    writeFileSync(file, "chosen-by-the-operator_1\n", { mode: 0o444 });
    await rig.withStack(t, ["password-file.yaml"], { REDIS_PASSWORD_FILE: file }, async (stack) => {
      const redis = await stack.container("redis");
      const user = { name: "waxseal", password: "chosen-by-the-operator_1" };
      assert.equal(await redisCommand(rig.engine, redis, "PING", user), "PONG");
      await stack.ready();
    });
  });

  describe("with TLS", () => {
    for (const [name, more] of [
      ["tls.yaml", {}],
      ["tls-self-signed.yaml", {}],
    ] as const) {
      it(`serves https by itself and redirects plain http (${name})`, async (t) => {
        const [https, http] = [await freePort(), await freePort()];
        const publicUrl = `https://localhost:${https}`;
        const env = {
          ...more,
          PUBLIC_URL: publicUrl,
          TLS_FOLDER: rig.work,
          HTTPS_PORT: String(https),
          HTTP_PORT: String(http),
        };
        await rig.withStack(t, [name], env, async () => {
          const text = `over TLS ${Math.random()}`;
          assert.ok(
            (await openLink(rig.browser, await createLink(rig.browser, publicUrl, text))).includes(text),
          );
          const redirected = await fetch(`http://localhost:${http}/s`, { redirect: "manual" });
          assert.ok([301, 307, 308].includes(redirected.status));
          assert.equal(redirected.headers.get("location"), `${publicUrl}/s`);
        });
      });
    }

    it("works behind nginx, under a path of its own", async (t) => {
      const [https, http] = [await freePort(), await freePort()];
      const publicUrl = `https://localhost:${https}/waxseal`;
      const env = {
        PUBLIC_URL: publicUrl,
        TLS_FOLDER: rig.work,
        HTTPS_PORT: String(https),
        HTTP_PORT: String(http),
      };
      await rig.withStack(t, ["proxy-nginx.yaml"], env, async (stack) => {
        await eventually("nginx", () => head(publicUrl));
        const text = `behind nginx ${Math.random()}`;
        const link = await createLink(rig.browser, publicUrl, text);
        assert.ok(link.startsWith(`${publicUrl}/s#`));
        // A proxy must find the app again when it comes back at another address.
        await rig.engine.docker(["restart", "--time", "15", await stack.container("waxseal")]);
        await stack.ready();
        assert.ok((await openLink(rig.browser, link)).includes(text));
        assert.doesNotMatch(await stack.logs("nginx"), /GET|POST/, "who came when is not written down");
      });
    });

    it("works behind Caddy", async (t) => {
      const [https, http] = [await freePort(), await freePort()];
      // Caddy answers for names, not ports: the browser is sent to the published one by PUBLIC_URL alone.
      const env = { WAXSEAL_DOMAIN: "localhost", HTTPS_PORT: String(https), HTTP_PORT: String(http) };
      await rig.withStack(t, ["proxy-caddy.yaml"], env, async (stack) => {
        const answer = await eventually("caddy", () => head(`https://localhost:${https}/`));
        assert.equal(answer.status, 200);
        assert.doesNotMatch(await stack.logs("caddy"), /"GET"|"POST"/);
      });
    });
  });
});
