import assert from "node:assert/strict";
import { createHash, type X509Certificate } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { connect } from "node:tls";
import type { Browser } from "playwright-core";
import { launchChromium } from "../testing/chromium.ts";
import { freePort } from "../testing/free-port.ts";
import { launchServer, type ServerProcess } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";

const NAME = "secrets.lan";

async function certificateAt(port: number): Promise<X509Certificate> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  assert(certificate);
  return certificate;
}

describe("https by the process itself, self-signed", () => {
  let server: ServerProcess;
  let certificate: X509Certificate;
  let browser: Browser;
  let publicUrl: string;
  let redirectPort: number;

  before(async () => {
    const port = await freePort();
    redirectPort = await freePort();
    publicUrl = `https://${NAME}:${port}`;
    const env = { TLS: "self-signed", PUBLIC_URL: publicUrl, REDIRECT_PORT: String(redirectPort) };
    server = launchServer(port, env);
    await until(() => server.output().includes("fingerprint"));
    certificate = await certificateAt(port);
    const key = certificate.publicKey.export({ type: "spki", format: "der" });
    const pin = createHash("sha256").update(key).digest("base64");
    // What a person says who has compared the fingerprints.
    browser = await launchChromium({ names: [NAME], args: [`--ignore-certificate-errors-spki-list=${pin}`] });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it("shows a stranger's browser nothing worse than an authority that it does not know", async () => {
    const stranger = await launchChromium({ names: [NAME] });
    try {
      await assert.rejects((await stranger.newPage()).goto(publicUrl), /ERR_CERT_AUTHORITY_INVALID/);
    } finally {
      await stranger.close();
    }
  });

  it("prints the fingerprint of the very certificate that browsers are shown", () => {
    assert(server.output().includes(certificate.fingerprint256));
  });

  it("seals a secret, and opens it by a link that somebody retyped with http", async () => {
    const page = await browser.newPage();
    await page.goto(publicUrl);
    await page.getByLabel("Secret", { exact: true }).fill("over TLS");
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByRole("heading", { name: "Your link is ready", exact: true }).waitFor();
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    assert(link.startsWith(`${publicUrl}/s#`));

    const asked: string[] = [];
    const reader = await browser.newPage();
    reader.on("request", (request) => asked.push(request.url()));
    const retyped = link.replace(publicUrl, `http://${NAME}:${redirectPort}`);
    await reader.goto(retyped);
    assert.equal(reader.url(), link);
    await reader.getByRole("button", { name: "Open secret" }).click();
    await reader.getByText("over TLS").waitFor();
    const plain = asked.filter((url) => url.startsWith("http:")).map((url) => new URL(url).pathname);
    assert.deepEqual(plain, ["/s"]);
  });
});
