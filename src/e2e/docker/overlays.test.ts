// What the files in deploy/compose add to compose.yaml, each brought up and used for real.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "node:tls";
import { freePort } from "../../testing/free-port.ts";
import { sealSecret } from "../../testing/sealed-secret.ts";
import { followReceipt, openSecret, post } from "./api.ts";
import { createLink, openLink } from "./person.ts";
import { composeFolder, eventually, image, overlays, type Rig, startRig } from "./rig.ts";
import { createStack, redisCommand } from "./stack.ts";
import { run } from "./tools.ts";

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

type Authority = { readonly key: string; readonly certificate: string };

/** An internal CA, as many intranets have one. */
async function makeAuthority(folder: string): Promise<Authority> {
  const authority = { key: join(folder, "authority.key"), certificate: join(folder, "authority.crt") };
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
    ...["-subj", "/CN=Test authority", "-keyout", authority.key, "-out", authority.certificate],
  ]);
  return authority;
}

/** tls.crt and tls.key for localhost, put in place of those that are there, as a renewal does. */
async function makeCertificate(folder: string, { key, certificate }: Authority): Promise<void> {
  const at = (name: string) => join(folder, name);
  await run("openssl", [
    ...[
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-subj",
      "/CN=localhost",
    ],
    ...["-keyout", at("new.key"), "-out", at("new.csr")],
  ]);
  writeFileSync(at("new.ext"), "subjectAltName=DNS:localhost\n");
  await run("openssl", [
    ...["x509", "-req", "-in", at("new.csr"), "-CA", certificate, "-CAkey", key, "-days", "20"],
    ...[
      "-set_serial",
      `0x${randomBytes(8).toString("hex")}`,
      "-extfile",
      at("new.ext"),
      "-out",
      at("new.crt"),
    ],
  ]);
  // A throw-away key; the containers run under user ids that own nothing here.
  await run("chmod", ["a+rX", folder, at("new.key"), at("new.crt")]);
  for (const kind of ["key", "crt"]) renameSync(at(`new.${kind}`), at(`tls.${kind}`));
}

/** The serial number of the certificate that is served. */
async function serialAt(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

/** `past`: around the proxy; `through`: the address that it answers at. Both with the path, if there is one. */
async function hearOfOpening(past: string, through: string): Promise<void> {
  const sealed = await sealSecret();
  assert.equal(await post(past, "secrets", sealed.body), 201);
  const receipt = await eventually("the receipt", () => followReceipt(through, sealed.receipt));
  try {
    // A proxy that keeps things back has no reason to give this away: nothing follows it.
    await receipt.comes(/"state":"sealed"/);
    // And one without patience would hang up before the next sign of life.
    await receipt.comes(/"state":"sealed"[\s\S]*\n\n:\n\n/);
    await openSecret(past, sealed);
    await receipt.comes(/"state":"opened"/);
  } finally {
    receipt.close();
  }
}

describe("the overlays", () => {
  let rig: Rig;
  let authority: Authority;

  before(async () => {
    rig = await startRig();
    authority = await makeAuthority(rig.work);
    await makeCertificate(rig.work, authority);
  });

  after(() => rig?.stop());

  it("is accepted with every overlay, each of which says when to use it and how", async () => {
    const env = {
      PUBLIC_URL: "https://secrets.example.com",
      WAXSEAL_DOMAIN: "secrets.example.com",
      TLS_FOLDER: rig.work,
      REDIS_PASSWORD_FILE: join(rig.work, "password"),
      LINK_URL: "https://open.example.com",
      ...{ MAIL_FOLDER: rig.work, SMTP_FROM: "waxseal@example.com", SMTP_ALLOW_DOMAINS: "example.com" },
      WEBHOOKS_FOLDER: rig.work,
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
    for (const name of ["tls.yaml", "tls-self-signed.yaml"]) {
      it(`serves https by itself and sends plain http on (${name})`, async (t) => {
        const [https, http] = [await freePort(), await freePort()];
        const publicUrl = `https://localhost:${https}`;
        const env = {
          PUBLIC_URL: publicUrl,
          TLS_FOLDER: rig.work,
          HTTPS_PORT: String(https),
          HTTP_PORT: String(http),
        };
        await rig.withStack(t, [name], env, async (stack) => {
          await stack.healthy("waxseal");
          const text = `over TLS ${Math.random()}`;
          const link = await createLink(rig.browser, publicUrl, text);
          assert.ok(link.startsWith(`${publicUrl}/s#`));
          // As somebody opens it who retyped it with http.
          const retyped = link.replace(publicUrl, `http://localhost:${http}`);
          assert.ok((await openLink(rig.browser, retyped)).includes(text));
          const redirected = await fetch(`http://localhost:${http}/s?a=b`, { redirect: "manual" });
          assert.equal(redirected.status, 308);
          assert.equal(
            redirected.headers.get("location"),
            `${publicUrl}/s`,
            "the path, and nothing of the query",
          );

          const warned = name === "tls.yaml" ? "traced to an authority" : "self-signed";
          await eventually("the doctor", async () => {
            const said = await stack.doctor(["--url", "https://localhost:8443"]);
            assert.equal(said.code, 0, said.stdout);
            assert.match(said.stdout, /^ok +round trip: /m);
            assert.match(said.stdout, new RegExp(`^warning +certificate: .*${warned}`, "m"));
          });

          if (name !== "tls.yaml") return;
          const before = await serialAt(https);
          await makeCertificate(rig.work, authority);
          await eventually("the renewed certificate", async () =>
            assert.notEqual(await serialAt(https), before),
          );
          await stack.ready();
          assert.equal((await stack.inspect("waxseal")).RestartCount, 0);
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
      await rig.withStack(t, ["proxy-nginx.yaml"], env, async (stack, address) => {
        await eventually("nginx", () => head(publicUrl));
        const text = `behind nginx ${Math.random()}`;
        const link = await createLink(rig.browser, publicUrl, text);
        assert.ok(link.startsWith(`${publicUrl}/s#`));
        // A proxy must find the app again when it comes back at another address.
        await rig.engine.docker(["restart", "--time", "15", await stack.container("waxseal")]);
        await stack.ready();
        assert.ok((await openLink(rig.browser, link)).includes(text));
        await hearOfOpening(`${address}/waxseal`, publicUrl);
        assert.doesNotMatch(await stack.logs("nginx"), /GET|POST/, "who came when is not written down");

        await eventually("the doctor beside it", async () => {
          const said = await stack.doctor(["--url", "http://localhost:8080"]);
          assert.equal(said.code, 0, said.stdout);
          assert.match(said.stdout, /^ok +round trip: /m);
        });
        // From where people come from, so that it sees what the proxy does.
        await eventually("the doctor outside", async () => {
          const said = await rig.engine.docker(
            [
              ...["run", "--rm", "--network", "host", "--env", `PUBLIC_URL=${publicUrl}`],
              ...["--env", "TRUST_PROXY=1", image, "doctor"],
            ],
            { mayFail: true },
          );
          assert.equal(said.code, 0, said.stdout);
          assert.match(said.stdout, /^ok +round trip: /m);
          assert.match(said.stdout, /^ok +proxy trust: a forged X-Forwarded-For is not believed/m);
        });
      });
    });

    it("works behind Caddy", async (t) => {
      const [https, http] = [await freePort(), await freePort()];
      // Caddy answers for names, not ports: the browser is sent to the published one by PUBLIC_URL alone.
      const env = { WAXSEAL_DOMAIN: "localhost", HTTPS_PORT: String(https), HTTP_PORT: String(http) };
      await rig.withStack(t, ["proxy-caddy.yaml"], env, async (stack, address) => {
        const answer = await eventually("caddy", () => head(`https://localhost:${https}/`));
        assert.equal(answer.status, 200);
        await hearOfOpening(address, `https://localhost:${https}`);
        assert.doesNotMatch(await stack.logs("caddy"), /"GET"|"POST"/);
      });
    });
  });
});
