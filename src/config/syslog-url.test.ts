import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "./parse-config.ts";
import { parseSyslogUrl } from "./syslog-url.ts";
import { ValueError } from "./value-error.ts";

describe("The address of a syslog receiver", () => {
  it("names a host, whether TLS is spoken, and the port, which has a usual value", () => {
    for (const [text, host, port, tls] of [
      ["syslog://logs.example.com", "logs.example.com", 514, false],
      ["syslog+tls://logs.example.com", "logs.example.com", 6514, true],
      ["syslog+tls://192.0.2.1:10514/", "192.0.2.1", 10514, true],
      ["syslog://[2001:db8::1]:1514", "2001:db8::1", 1514, false],
    ] as const) {
      assert.deepEqual(parseSyslogUrl(text), { host, port, tls });
    }
  });

  it("is refused with what to write, and not repeated, where it is something else", () => {
    for (const text of [
      "udp://logs.example.com",
      "logs.example.com:514",
      "syslog://user:hunter2@logs.example.com",
      "syslog://logs.example.com/path",
      "syslog://logs.example.com?x",
      "syslog://logs.example.com:0",
      "syslog://logs.example.com:65536",
      "syslog://[logs]:514",
      "syslog://",
    ]) {
      assert.throws(
        () => parseSyslogUrl(text),
        (error) =>
          error instanceof ValueError && /Write/.test(error.message) && !error.message.includes("hunter2"),
        text,
      );
    }
  });

  it("goes with its authority, which only TLS has a use for", () => {
    const readFile = () => "-----BEGIN CERTIFICATE-----";
    const parse = (env: Record<string, string>) =>
      parseConfig({ AUDIT_SYSLOG_CA_FILE: "ca.crt", ...env }, readFile);
    assert.throws(() => parse({}), /AUDIT_SYSLOG_CA_FILE: has no use.*Write syslog\+tls/);
    assert.throws(() => parse({ AUDIT_SYSLOG_URL: "syslog://logs" }), /AUDIT_SYSLOG_CA_FILE: has no use/);
    assert.deepEqual(parse({ AUDIT_SYSLOG_URL: "syslog+tls://logs" }).auditSyslog, {
      host: "logs",
      port: 6514,
      tls: true,
      ca: readFile(),
    });
    assert.equal(parseConfig({}, readFile).auditSyslog, undefined);
  });
});
