import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { driveEveryFlow, findNeedles, rememberSecret } from "../testing/every-flow.ts";
import { freePort } from "../testing/free-port.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { startServer } from "../testing/server-process.ts";
import { startSyslogReceiver } from "../testing/syslog-receiver.ts";
import { until } from "../testing/until.ts";
import { createLogCheck } from "./check-log.ts";
import { AUDIT_MEMBERS } from "./record.ts";

const EMAIL = "ann.sender@example.com";
const LABEL = "Keys of the blue archive";
/** What pino writes on every line. */
const AROUND = ["level", "time", "pid", "hostname", "msg"];

describe("An audit line", () => {
  it("holds nothing that could open, name or confirm a secret, nor who is told of it, wherever it is sent", async () => {
    const receiver = await startSyslogReceiver();
    const server = await startServer({
      LOG_LEVEL: "trace",
      AUDIT_ADDRESSES: "full",
      AUDIT_SYSLOG_URL: `syslog://127.0.0.1:${receiver.port}`,
      // Nobody listens there: what could not be told is in the log, too.
      SMTP_URL: `smtp+insecure://127.0.0.1:${await freePort()}`,
      SMTP_FROM: "waxseal@example.com",
      SMTP_ALLOW_DOMAINS: "example.com",
    });
    try {
      const needles = await driveEveryFlow(server.url);
      needles.set("e-mail address", Buffer.from(EMAIL));
      needles.set("label", Buffer.from(LABEL));
      const send = async (method: string, path: string, body?: unknown, bearer?: string) => {
        const answer = await fetch(`${server.url}/api/v1/${path}`, {
          method,
          headers: {
            ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        await answer.arrayBuffer();
        return answer.status;
      };
      const notify = { email: EMAIL, label: LABEL };
      for (const rules of [undefined, { networks: ["192.0.2.0/24"] }]) {
        const secret = await sealSecret({ passphrase: "told on the telephone" });
        rememberSecret(needles, rules ? "refused by its rules" : "told of", secret);
        const body = { ...secret.body, notify, ...(rules ? { rules } : {}) };
        assert.equal(await send("POST", "secrets", body), 201);
        assert.equal(await send("GET", "secret", undefined, secret.link), 200);
        await send("POST", "secret/open", { access: secret.wrongAccess }, secret.link);
        const status = await send("POST", "secret/open", { access: secret.access }, secret.link);
        assert.equal(status, rules ? 403 : 200);
      }
      server.signal("SIGTERM");
      assert.equal(await server.ended, 0);

      const output = server.output();
      const lines = output
        .split("\n")
        .filter((line) => line.includes('"audit":'))
        .map((line) => JSON.parse(line));
      const allowed = new Set([...AUDIT_MEMBERS, ...AROUND]);
      for (const line of lines) {
        assert.deepEqual(
          Object.keys(line).filter((name) => !allowed.has(name)),
          [],
        );
        if (line.requestId !== undefined) assert.equal(line.address, "127.0.0.1");
      }
      const kinds = new Set(lines.map(({ audit, reason }) => (reason ? `${audit}: ${reason}` : audit)));
      for (const kind of [
        "trail-started",
        "created",
        "visited",
        "opened",
        "redelivered",
        "deleted",
        "locked",
        "unlocked",
        "denied: not-found",
        "denied: wrong-passphrase",
        "denied: locked",
        "denied: refused-network",
        "trail-ended",
      ]) {
        assert.ok(kinds.has(kind), kind);
      }
      await until(() => receiver.messages().at(-1)?.id === "trail-ended");
      const sent = receiver.messages().map(({ text }) => text);
      assert.equal(sent.length, lines.length);
      assert.deepEqual(findNeedles(output + sent.join("\n"), needles), []);

      const check = createLogCheck();
      sent.forEach((line, index) => void check.add(line, `line ${index + 1}`));
      const { faultCount, chains } = check.end();
      assert.equal(faultCount, 0);
      assert.equal(chains[0]?.ended, true);
    } finally {
      await server.stop();
      await receiver.close();
    }
  });
});
