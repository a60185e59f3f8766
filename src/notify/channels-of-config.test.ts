import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../config/parse-config.ts";
import { files } from "../config/problems-of.ts";
import { channelsOf } from "./channels-of-config.ts";

const hook = (name: string) => ({ name, url: "https://hooks.example/tOkEn", format: "slack" });

describe("channelsOf", () => {
  it("has one channel for each webhook and one for mail, by names that the queue can take", () => {
    const names = [`${"a".repeat(31)}1`, "ops"];
    const config = parseConfig(
      {
        WEBHOOKS: JSON.stringify(names.map(hook)),
        SMTP_URL: "smtp://waxseal:tOkEn@mail.example",
        SMTP_FROM: "waxseal@example.com",
        SMTP_ALLOW_DOMAINS: "example.com",
      },
      files(),
    );
    const logged: unknown[] = [];
    const channels = channelsOf(config, { info: (...line: unknown[]) => void logged.push(line) });
    assert.deepEqual(
      channels.map(({ name, kind }) => [name, kind]),
      [
        [`webhook-${names[0]}`, "webhook"],
        ["webhook-ops", "webhook"],
        ["mail", "mail"],
      ],
    );
    for (const { name } of channels) assert.match(name, /^[a-z0-9-]{1,40}$/);
    assert.equal(logged.length, 1);
    assert.doesNotMatch(JSON.stringify(logged), /tOkEn|example/);
  });

  it("has none, and says nothing, where nothing is set", () => {
    const silent = { info: () => assert.fail("something was logged") };
    assert.deepEqual(channelsOf(parseConfig({}, files()), silent), []);
  });
});
