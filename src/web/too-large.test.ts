import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { createTestApp } from "../testing/test-app.ts";

/** Sends pieces of 16 KiB until the server closes the connection. The answer, and how much was sent. */
async function sendWithoutEnd(url: string, head: string, first = "") {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  let answer = "";
  let sent = 0;
  socket.on("data", (piece) => {
    answer += piece;
  });
  socket.on("error", () => {}); // the server closes with bytes still to come
  const closed = once(socket, "close");
  socket.write(`${head}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
  if (first !== "") socket.write(`${first.length.toString(16)}\r\n${first}\r\n`);
  const more = () => {
    if (answer !== "" || socket.destroyed) return;
    sent += 16_384;
    socket.write(`4000\r\n${"x".repeat(16_384)}\r\n`, () => setImmediate(more));
  };
  more();
  await closed;
  return { answer, sent };
}

describe("A body without an end", () => {
  it("is answered with 413 in each format, and its connection closed", async () => {
    await createTestApp().listening(async (url) => {
      for (const head of [
        "POST /api/v1/secret/open HTTP/1.1\r\nContent-Type: application/json",
        "POST /api/v1/secrets HTTP/1.1\r\nContent-Type: application/json",
        "POST /assisted/open HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded",
      ]) {
        const { answer } = await sendWithoutEnd(url, head);
        assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n/, head);
      }
    });
  });

  it("is answered where it is a form with files, which is read to a few times its limit", async () => {
    const app = createTestApp({ env: { MAX_SECRET_BYTES: "32KiB", MAX_FILES: "1" } });
    await app.listening(async (url) => {
      const page = await app.http.get("/assisted");
      const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
      const cookie = page.get("Set-Cookie")?.[0]?.split(";")[0] ?? "";
      const part = (name: string, value: string) =>
        `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
      const file = '--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n';
      const { answer, sent } = await sendWithoutEnd(
        url,
        `POST /assisted HTTP/1.1\r\nCookie: ${cookie}\r\nContent-Type: multipart/form-data; boundary=b`,
        part("csrf", csrf) + part("secret", "This stays in the form.") + file,
      );
      assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n/);
      assert.match(answer, /This stays in the form\./);
      assert.ok(sent > 3 * 32_768, `answered after ${sent} bytes`);
    });
  });
});
