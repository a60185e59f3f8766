import assert from "node:assert/strict";
import { after, it } from "node:test";
import { pino } from "pino";
import { Registry } from "prom-client";
import { startSyslogReceiver } from "../testing/syslog-receiver.ts";
import { until } from "../testing/until.ts";
import { keepTrail } from "./keep-trail.ts";

const receiver = await startSyslogReceiver();
after(() => receiver.close());

it("says how many audit lines wait for the receiver and how many it will never get, from zero on", async () => {
  const { port } = receiver;
  await receiver.close();
  const registry = new Registry();
  const trail = keepTrail({
    version: "1.0.0",
    log: pino({ level: "silent" }),
    anchors: undefined,
    config: { auditSyslog: { host: "127.0.0.1", port, tls: false, ca: undefined } },
    registry,
  });
  const numbers = async () =>
    Promise.all(
      ["waiting", "dropped_total"].map(async (name) => {
        const metric = await registry.getSingleMetric(`waxseal_audit_syslog_${name}`)?.get();
        return metric?.values[0]?.value;
      }),
    );
  assert.deepEqual(await numbers(), [0, 0]);
  // With the one that begins the trail, 10,003.
  for (let i = 0; i < 10_002; i++) trail.write({ audit: "opened", secret: "0123456789abcdef" });
  assert.deepEqual(await numbers(), [10_000, 3]);
  await receiver.listen();
  await until(async () => (await numbers())[0] === 0);
  assert.equal((await numbers())[1], 3);
  await trail.close();
});

it("has no such numbers where there is no receiver", async () => {
  const registry = new Registry();
  const config = { auditSyslog: undefined };
  keepTrail({ version: "1.0.0", log: pino({ level: "silent" }), anchors: undefined, config, registry });
  assert.deepEqual(registry.getMetricsAsArray(), []);
});
