import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countryCodes } from "../envelope/countries.ts";
import { newClaim } from "../testing/sealed-secret.ts";
import { readonlyIn, submitForm } from "../testing/submit-form.ts";
import { createTestApp } from "../testing/test-app.ts";

describe("The assisted pages and who may open", () => {
  it("take networks and a time, which hold for the assisted opening too, and use nothing up", async () => {
    const app = createTestApp({ env: { TRUST_PROXY: "1" } });
    const created = await submitForm(app, "/assisted", {
      secret: "hunter2 and more",
      passphrase: "rosebud",
      ttl: "3600",
      networks: "10.0.0.0/8,\r\n2001:db8::/32 ",
      "not-before": "2026-01-02T03:05",
    });
    const [link = "", receipt = ""] = readonlyIn(created.text);
    const openFrom = (address: string, passphrase: string) =>
      submitForm(
        app,
        "/assisted/open",
        { claim: newClaim(), link, passphrase },
        { "X-Forwarded-For": address },
      );
    for (const [address, passphrase, says] of [
      ["203.0.113.9", "rosebud", /Only certain networks may open this secret/],
      ["203.0.113.9", "", /Only certain networks may open this secret/],
      ["10.1.2.3", "wrong", /It can be opened from 2 Jan 2026, 03:05 UTC\. It is still sealed/],
    ] as const) {
      const { status, text } = await openFrom(address, passphrase);
      assert.equal(status, 403);
      assert.match(text, says);
    }
    const told = await submitForm(app, "/assisted/open", { link: receipt });
    assert.match(told.text, /Refused: not from an allowed network/);
    assert.match(told.text, /Refused: not yet allowed/);
    app.advance(60);
    assert.match((await openFrom("2001:db8::7", "rosebud")).text, /hunter2 and more/);
  });

  it("take countries and office hours as a person writes them", async () => {
    const app = createTestApp({ env: { GEOIP_DB: "/x.mmdb" } });
    const { status, text } = await submitForm(app, "/assisted", {
      secret: "hunter2",
      ttl: "86400",
      countries: "germany; at\r\nBosnia & Herzegovina,",
      "in-hours": "on",
      "day-5": "on",
      "day-6": "on",
      "hours-from": "18:30",
      "hours-to": "00:00",
      "hours-zone": "America/New_York",
    });
    assert.equal(status, 200);
    assert.match(text, /<li>Only in Austria, Bosnia &amp; Herzegovina, or Germany\.<\/li>/);
    assert.match(text, /<li>Only Friday and Saturday, 18:30 to 24:00 in America\/New York.<\/li>/);
  });

  it("have no field for countries where no database tells them, and take none", async () => {
    const app = createTestApp();
    assert.doesNotMatch((await app.http.get("/assisted").expect(200)).text, /name="countries"/);
    const { status, text } = await submitForm(app, "/assisted", {
      ...{ secret: "hunter2", ttl: "3600", countries: "Germany" },
    });
    assert.equal(status, 400);
    assert.match(text, /<a href="#send">This server can&#39;t tell countries/);
  });

  it("take a form that knows no hours", async () => {
    const { status, text } = await submitForm(createTestApp(), "/assisted", {
      ...{ secret: "hunter2", ttl: "3600" },
    });
    assert.equal(status, 200);
    assert.doesNotMatch(text, /What you chose/);
  });

  it("take lists apart no further than their limits go, however long they are", async () => {
    const app = createTestApp({ env: { GEOIP_DB: "/x.mmdb" } });
    for (const [field, value] of [
      ["countries", "Zimbabwe,".repeat(50_000)],
      ["countries", `a${" ".repeat(500_000)}a`],
      ["networks", "10.0.0.0/8 ".repeat(50_000)],
    ] as const) {
      const { status, text } = await submitForm(app, "/assisted", {
        ...{ secret: "hunter2", ttl: "3600", [field]: value },
      });
      assert.equal(status, 400);
      assert.match(text, new RegExp(`<a href="#${field}">So many ${field} are too many`));
    }
  });

  it("say which field is wrong, and keep what was entered", async () => {
    const app = createTestApp({
      env: {
        TRUST_PROXY: "1",
        GEOIP_DB: "/x.mmdb",
        REQUIRE_PASSPHRASE: "on",
        MAX_TTL_BY_NETWORK: "0.0.0.0/0=1h",
      },
    });
    const fields = { secret: "hunter2", passphrase: "rosebud", ttl: "3600", networks: "", "not-before": "" };
    const hours = {
      "in-hours": "on",
      "day-1": "on",
      "hours-from": "09:00",
      "hours-to": "17:00",
      "hours-zone": "UTC",
    };
    const { "day-1": _, ...noDay } = hours;
    const { "in-hours": __, ...notChosen } = hours;
    for (const [wrong, field, says] of [
      [{ networks: "office" }, "networks", /neither an address nor a CIDR range/],
      [{ "not-before": "tomorrow" }, "not-before", /Enter a date and a time/],
      [{ "not-before": "2026-01-02T04:05" }, "not-before", /Choose a time before the secret is deleted/],
      [{ "not-before": "2026-01-02T03:04" }, "not-before", /That time is over/],
      [{ countries: "Germany, Atlantis" }, "countries", /know the country Atlantis/],
      [
        { countries: countryCodes().slice(0, 65).join() },
        "countries",
        /65 countries are too many\. The limit is 64/,
      ],
      [
        { networks: Array.from({ length: 33 }, (_, i) => `10.0.0.${i}`).join("; ") },
        "networks",
        /33 networks are too/,
      ],
      [noDay, "day-1", /Choose a day, or switch off the office hours/],
      [{ ...hours, "hours-from": "" }, "hours-from", /Enter when the office opens/],
      [{ ...hours, "hours-to": "noon" }, "hours-to", /Enter when the office closes/],
      [{ ...hours, "hours-to": "09:00" }, "hours-to", /opens and closes at the same time/],
      [{ ...hours, "hours-zone": "Atlantis" }, "hours-zone", /Choose a time zone/],
      // A Friday.
      [hours, "in-hours", /deleted before the office opens/],
      [notChosen, "in-hours", /You have set office hours\. Tick here that they count/],
      [{ passphrase: "" }, "passphrase", /Enter a passphrase: this server takes no secret without one/],
      [{ ttl: "7200" }, "ttl", /Choose when it is deleted/],
    ] as const) {
      const entered = { ...fields, ...wrong };
      const { status, text } = await submitForm(app, "/assisted", entered);
      assert.equal(status, 400);
      const problem = /<p id="problem-words"><a href="#([^"]+)">([^<]+)</.exec(text);
      assert.equal(problem?.[1], field);
      assert.match(problem?.[2] ?? "", says);
      const invalid = [...text.matchAll(/<[^>]*aria-invalid="true"[^>]*>/g)].map(String);
      assert.equal(invalid.length, 1);
      assert.match(
        invalid[0] ?? "",
        new RegExp(` id="${field}".* aria-describedby="([^"]* )?problem-words"`),
      );
      assert(text.includes(">\nhunter2</textarea>"));
      if (entered.networks) assert(text.includes(`>\n${entered.networks}</textarea>`));
      if (entered["not-before"]) assert(text.includes(`value="${entered["not-before"]}"`));
    }
  });
});
