// Who is told, and who may open where: mail.yaml, webhooks.yaml and roles.yaml, brought up and used for real.
// And the image with the files that say so.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fingerprint } from "../../audit/fingerprint.ts";
import { makeCertificates } from "../../testing/certificates.ts";
import { countryDatabase } from "../../testing/country-database.ts";
import { freePort } from "../../testing/free-port.ts";
import { readMail } from "../../testing/mail-server.ts";
import { sealSecret } from "../../testing/sealed-secret.ts";
import { openSecret, post } from "./api.ts";
import { createLink, openLink } from "./person.ts";
import { certifyReceiver, type Receiver, receiverName, startReceiver } from "./receiver.ts";
import { eventually, image, node, type Rig, startRig } from "./rig.ts";
import { createStack, type Stack } from "./stack.ts";
import { run } from "./tools.ts";

async function auditLines(stack: Stack): Promise<string> {
  const said = await stack.logs("waxseal");
  return said
    .split("\n")
    .filter((line) => line.includes('"audit"'))
    .join("\n");
}

describe("who is told, and who may open where", () => {
  let rig: Rig;
  let folder: string;

  before(async () => {
    rig = await startRig();
    folder = join(rig.work, "told");
    mkdirSync(folder);
    certifyReceiver(folder);
    const hooks = [{ name: "ops", url: `http://${receiverName}:8080/in`, format: "slack" }];
    writeFileSync(join(folder, "smtp.url"), `smtp://${receiverName}:2525\n`);
    writeFileSync(join(folder, "webhooks.json"), JSON.stringify(hooks));
    for (const name of ["smtp.url", "webhooks.json"]) chmodSync(join(folder, name), 0o644);
  });

  after(() => rig?.stop());

  async function withReceiver(stack: Stack, act: (receiver: Receiver) => Promise<void>): Promise<void> {
    const { Networks } = (await stack.inspect("waxseal")).NetworkSettings;
    const network = Object.keys(Networks).find((name) => name.endsWith("_outside")) ?? "";
    const receiver = await startReceiver(rig.engine, network, folder);
    try {
      // The receiver's container has an interface of its own, whose address the browser would stumble over.
      await stack.ready();
      await act(receiver);
    } finally {
      await receiver.stop();
    }
  }

  it("tells by mail and webhook what was opened, and keeps a log that docker run can check", async (t) => {
    const env = {
      MAIL_FOLDER: folder,
      MAIL_CA: "/run/mail/ca.crt",
      SMTP_FROM: "waxseal@example.com",
      SMTP_ALLOW_DOMAINS: "example.com",
      WEBHOOKS_FOLDER: folder,
      WEBHOOK_ALLOW_CIDRS: "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    };
    await rig.withStack(t, ["mail.yaml", "webhooks.yaml"], env, (stack, address) =>
      withReceiver(stack, async (receiver) => {
        const sealed = await sealSecret();
        const notify = { email: "ann@example.com", label: "Database" };
        assert.equal(await post(address, "secrets", { ...sealed.body, notify }), 201);
        await openSecret(address, sealed);
        const told = await eventually("both", async () => {
          const all = await receiver.told();
          assert.equal(all.length, 2);
          return all;
        });
        const mail = told.find((each) => each.mail !== undefined);
        assert.equal(mail?.secure, true);
        assert.equal(readMail(mail?.mail ?? "").fields.get("subject"), 'Your secret "Database" was opened');
        const hook = told.find((each) => each.hook !== undefined)?.hook ?? "";
        assert.ok(hook.includes(fingerprint(sealed.body.id)), hook);

        const log = await eventually("what was told, in the log", async () => {
          const lines = await auditLines(stack);
          assert.equal(lines.split('"audit":"notified"').length, 3);
          return lines;
        });
        const verify = (input: string) =>
          rig.engine.docker(["run", "--rm", "-i", image, "audit", "verify", "-"], { input, mayFail: true });
        const checked = await verify(log);
        assert.equal(checked.code, 0, `${checked.stdout}${checked.stderr}`);
        assert.match(checked.stdout, /^intact /m);
        const forged = await verify(log.replace('"audit":"opened"', '"audit":"expired"'));
        assert.equal(forged.code, 1, forged.stdout);
        assert.match(forged.stdout, /^broken /m);
        assert.equal((await verify("nothing of ours\n")).code, 2);
        // Another anchor may come in between: then the log has to be read anew.
        await eventually("a log that is whole by the anchors in Redis", async () => {
          const server = ["exec", "-T", "waxseal", node, "/app/dist/server.js"];
          const input = `${await auditLines(stack)}\n`;
          await stack.compose([...server, "audit", "verify", "--anchors", "-"], { input });
        });
      }),
    );
  });

  it("opens outside what was made inside, tells of it from inside, and does neither the other way round", async (t) => {
    const outside = await freePort();
    const linkUrl = `http://localhost:${outside}`;
    const env = {
      ...{ LINK_URL: linkUrl, OPEN_PORT: String(outside), WEBHOOKS_FOLDER: folder },
      WEBHOOK_ALLOW_CIDRS: "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    };
    await rig.withStack(t, ["roles.yaml", "webhooks.yaml"], env, (stack, address) =>
      withReceiver(stack, async (receiver) => {
        const text = `made inside ${Math.random()}`;
        const link = await createLink(rig.browser, address, text);
        assert.ok(link.startsWith(`${linkUrl}/s#`), link.split("#")[0]);
        const statuses = async (base: string) =>
          Promise.all(["/", "/s"].map(async (path) => (await fetch(`${base}${path}`)).status));
        assert.deepEqual(await statuses(address), [200, 404]);
        assert.deepEqual(await statuses(linkUrl), [200, 200]);
        const [fromInside, fromOutside] = [await sealSecret(), await sealSecret()];
        assert.equal(await post(address, "secrets", fromInside.body), 201);
        assert.equal(await post(linkUrl, "secrets", fromOutside.body), 404);
        const opening = { access: fromInside.access };
        assert.equal(await post(address, "secret/open", opening, fromInside.link), 404);
        assert.ok((await openLink(rig.browser, link)).includes(text));
        const [told] = await eventually("the webhook", async () => {
          const all = await receiver.told();
          assert.equal(all.length, 1);
          return all;
        });
        assert.match(told?.hook ?? "", /opened/);

        // The opener has nothing to tell with, and no way to the first one but Redis.
        const { Networks } = (await stack.inspect("opener")).NetworkSettings;
        const names = Object.keys(Networks).map((name) => name.replace(/^.*_/, ""));
        assert.deepEqual(names.sort(), ["opening", "store"]);
        const { HostConfig, Config } = await stack.inspect("opener");
        assert.equal(HostConfig.MemorySwap, HostConfig.Memory);
        assert.ok(HostConfig.Memory > 0 && HostConfig.PidsLimit > 0 && HostConfig.ReadonlyRootfs);
        assert.deepEqual(HostConfig.CapDrop, ["ALL"]);
        assert.match(Config.User, /^[1-9]\d*:[1-9]\d*$/);
      }),
    );
  });

  it("reads the files of its settings as any user, the database anew, and checks its own log", async () => {
    const folder = join(rig.work, "settings");
    mkdirSync(folder);
    const hooks = [{ name: "ops", url: "https://hooks.example.com/x", format: "slack" }];
    makeCertificates(folder);
    const database = (type: string) => countryDatabase({ "198.51.100.0/24": "DE" }, { type });
    writeFileSync(join(folder, "webhooks.json"), JSON.stringify(hooks));
    writeFileSync(join(folder, "smtp.url"), "smtp://waxseal:secret@mail.example.com\n");
    writeFileSync(join(folder, "countries.mmdb"), database("First"));
    await run("chmod", ["-R", "a+rX", folder]);
    const settings = {
      ...{ WEBHOOKS_FILE: "webhooks.json", WEBHOOK_CA_FILE: "ca.crt", GEOIP_DB: "countries.mmdb" },
      ...{ SMTP_URL_FILE: "smtp.url", SMTP_CA_FILE: "ca.crt", AUDIT_SYSLOG_CA_FILE: "ca.crt" },
    };
    const others = {
      ...{ SMTP_FROM: "waxseal@example.com", SMTP_ALLOW_DOMAINS: "example.com" },
      AUDIT_SYSLOG_URL: "syslog+tls://127.0.0.1",
    };
    const env = [
      ...Object.entries(settings).map(([name, file]) => `${name}=/run/settings/${file}`),
      ...Object.entries(others).map(([name, value]) => `${name}=${value}`),
    ];
    const uid = 20_000 + Math.floor(Math.random() * 1_000_000);
    const started = await rig.engine.docker([
      ...["run", "--detach", "--read-only", "--cap-drop", "ALL", "--network", "none"],
      ...["--user", `${uid}:0`, "--volume", `${folder}:/run/settings:ro`],
      ...env.flatMap((each) => ["--env", each]),
      image,
    ]);
    const id = started.stdout.trim();
    try {
      const logged = async (words: RegExp) =>
        eventually(String(words), async () => {
          const { stdout, stderr } = await rig.engine.docker(["logs", id]);
          assert.match(`${stdout}${stderr}`, words);
          return stdout;
        });
      await logged(/countries by First of/);
      await logged(/is ready/);
      writeFileSync(join(folder, "new"), database("Second"), { mode: 0o644 });
      renameSync(join(folder, "new"), join(folder, "countries.mmdb"));
      await logged(/GEOIP_DB was read again: countries by Second of/);
      await rig.engine.docker(["stop", "--time", "15", id]);
      const log = await logged(/"audit":"trail-ended"/);
      const verify = (input: string) =>
        rig.engine.docker(
          ["run", "--rm", "-i", "--user", `${uid}:0`, "--network", "none", image, "audit", "verify", "-"],
          { input, mayFail: true },
        );
      const checked = await verify(log);
      assert.equal(checked.code, 0, `${checked.stdout}${checked.stderr}`);
      assert.match(checked.stdout, /^intact /m);
      const without = log
        .split("\n")
        .filter((line) => !line.includes('"audit":"trail-started"'))
        .join("\n");
      assert.equal((await verify(without)).code, 1);
    } finally {
      await rig.engine.docker(["rm", "--force", id]);
    }
  });

  it("lets both roles know a durable Redis and three nodes in the same way", async () => {
    const env = { LINK_URL: "https://open.example.com" };
    const cases: [string, NodeJS.ProcessEnv][] = [
      ["durable.yaml", { OPEN_KEYRING: "/run/waxseal/keyring.url" }],
      ["sentinel.yaml", { OPEN_WAIT_REPLICAS: "2" }],
    ];
    for (const [name, more] of cases) {
      const stack = createStack(rig.engine, "config", [name, "roles.yaml"], { ...env, ...more });
      const { stdout } = await stack.compose(["config"]);
      const of = (service: string) => {
        const [, text = ""] = new RegExp(`^ {2}${service}:\\n((?: {3,}.*\\n)*)`, "m").exec(stdout) ?? [];
        const settings = [...text.matchAll(/^ {6}((?:KEYRING_)?REDIS_\w+): (.*)$/gm)];
        return new Map(settings.map(([, setting = "", value = ""]) => [setting, value]));
      };
      const [first, opener] = [of("waxseal"), of("opener")];
      assert.ok(first.size >= 2 && first.size <= opener.size, stdout);
      for (const [setting, value] of first) assert.equal(opener.get(setting), value, `${name}: ${setting}`);
    }
  });
});
