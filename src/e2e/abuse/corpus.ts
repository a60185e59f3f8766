/**
 * Requests that once met a fault, or that some server somewhere met one with: each run begins with
 * them. `{link}` and `{receipt}` stand for tokens of a secret that exists.
 */
export const CORPUS: readonly { readonly why: string; readonly request: string }[] = [
  {
    why: "found here: Node wrote the 100 of a pipelined request between head and body of its answer",
    request:
      "GET /api/v1/secret HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {receipt}\r\n\r\n" +
      "POST /assisted HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx",
  },
  {
    why: "found here: Express answered by itself, without our headers",
    request: "GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
  },
  {
    why: "found here: a server that begins with everything at once",
    request: "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1500),
  },
  {
    why: "CL.TE smuggling",
    request:
      "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
  },
  {
    why: "TE.CL smuggling",
    request:
      "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n",
  },
  {
    why: "TE.TE smuggling",
    request:
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n\r\n0\r\n\r\n",
  },
  {
    why: "two lengths",
    request: "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  },
  {
    why: "a bare LF after the chunk size",
    request:
      "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n",
  },
  {
    why: "a chunk size that overflows",
    request:
      "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab\r\n",
  },
  { why: "space before the colon", request: "GET / HTTP/1.1\r\nHost : x\r\n\r\n" },
  { why: "no Host", request: "GET / HTTP/1.1\r\n\r\n" },
  { why: "HTTP/2 preface", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  { why: "HTTP/0.9", request: "GET /\r\n\r\n" },
  { why: "CONNECT", request: "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n" },
  { why: "asterisk form", request: "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" },
  { why: "absolute form", request: "GET http://example.com/api/v1/secret HTTP/1.1\r\nHost: x\r\n\r\n" },
  { why: "a target that is no address", request: "GET //[ HTTP/1.1\r\nHost: x\r\n\r\n" },
  { why: "a broken percent encoding", request: "GET /assets/%c0%ae%zz HTTP/1.1\r\nHost: x\r\n\r\n" },
  { why: "an encoded NUL", request: "GET /assets/%00.js HTTP/1.1\r\nHost: x\r\n\r\n" },
  {
    why: "an upgrade",
    request: "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  },
  {
    why: "h2c",
    request:
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
  },
  {
    why: "an expectation that nobody meets",
    request: "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n",
  },
  {
    why: "hundreds of ranges",
    request: `GET /api/v1/secret/blob HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {link}\r\nRange: bytes=${Array.from({ length: 500 }, (_, i) => `${i}-`).join(",")}\r\n\r\n`,
  },
  {
    why: "a range beyond all numbers",
    request:
      "GET /api/v1/secret/blob HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {link}\r\nRange: bytes=99999999999999999999-\r\n\r\n",
  },
  {
    why: "a prototype for a body",
    request:
      'POST /api/v1/secret/ack HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {link}\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{"__proto__":{"claim":"AAAAAAA"}}',
  },
  {
    why: "a forwarded address that is none",
    request:
      "GET /api/v1/secret HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {receipt}\r\nX-Forwarded-For: ::ffff:999.1.1.1%25, [::1]:80, \x80\r\n\r\n",
  },
  {
    why: "a cookie that is no cookie",
    request:
      "POST /assisted HTTP/1.1\r\nHost: x\r\nCookie: __Host-waxseal-form=%; ;=;=\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\n&=&%=%&&=%4",
  },
];
