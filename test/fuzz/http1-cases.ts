import { httpPaths, mutate, oneOf, type Random } from "../conformance/mutated-requests.js";
import { validBody } from "./coded-bodies.js";
import type { MakeCase } from "./fuzz-case.js";
import { Http1Reader } from "./http1-reader.js";
import { playOnSocket } from "./raw-exchange.js";

/** Above this number of bytes bodies are left to the kind of case that is about bodies. */
const BODY_BYTES_MAX = 4_000;

// No HEAD: its answers have a length and no body, which a reader cannot know of a broken request.
const methods = ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "post", "P", ""];
const targets = [
  "/",
  "*",
  "",
  "//v1/traces",
  "/v1/traces?x=%00",
  "/v1/%ff%fe",
  "/v1/traces/../logs",
  "/v1/traces#a",
  "http://other/v1/traces",
  "/v1/tra ces",
  "/v1/tra\u00e9ces",
  "example.org:80",
  `/${"x".repeat(20_000)}`,
  `/${"%41".repeat(3_000)}`,
];
const versions = ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 ", "http/1.1", "", "X"];
const lines = [
  "Content-Length: -1",
  "Content-Length: +5",
  "Content-Length: 0x10",
  "Content-Length: 99999999999999999999",
  "Content-Length: 4294967296",
  "Content-Length: 0",
  "Content-Length: 3, 3",
  "Content-Length:",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding:\tchunked",
  "Content-Type: application/json; charset=utf-16",
  'Content-Type: "application/json"',
  "Content-Type: ",
  "Content-Encoding: gzip, gzip",
  "Content-Encoding: GZIP",
  "Content-Encoding: \u0000",
  "Expect: 100-continue",
  "Expect: 200-ok",
  "Connection: close",
  "Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "Connection: upgrade\r\nUpgrade: websocket",
  "Host: a\r\nHost: b",
  "Host: [::1",
  "No colon",
  " : nothing",
  "A: b\r\n folded",
  "A\u0000: b",
  "A: \u0000",
  "A: \u00ff\u0080",
  "A: b\nC: d",
  "A: b\rC: d",
  "Trailer: X",
  "Datadog-Entity-ID: in-99999999999999999999",
  "__proto__: x",
  "constructor: x",
  `A: ${"b".repeat(20_000)}`,
  `${"a".repeat(20_000)}: b`,
  Array.from({ length: 300 }, (_, index) => `A${index}: b`).join("\r\n"),
];
const chunkSizes = ["FFFFFFFFFFFFFFFF", "-1", "0x5", "", "5;ext=1", `5;${"e".repeat(20_000)}`, "G"];
const trailers = [
  "",
  "X: y\r\n",
  `X: ${"y".repeat(20_000)}\r\n`,
  "Content-Length: 5\r\n",
  ": \r\n",
];

/** One to three HTTP/1.1 requests on a connection with a wrong line, a wrong frame or wrong bytes. */
export const http1Case: MakeCase = (random) => {
  const requests = 1 + Math.floor(random() * 3);
  let bytes: Buffer = Buffer.concat(Array.from({ length: requests }, () => request(random)));
  if (random() < 0.25) bytes = mutate(random, bytes);
  const at = Math.floor(random() * bytes.length);
  const parts = random() < 0.3 ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
  const endsWithReset = random() < 0.2;
  const isTls = random() < 0.05;
  return {
    requests,
    play: async ({ http, https }) => {
      const reader = new Http1Reader(requests);
      const endpoint = isTls ? { ...https, tls: https.tls && { ...https.tls, protocol } } : http;
      const script = { endpoint, parts, reader, mustAnswer: false, endsWithReset };
      const problems = await playOnSocket(script);
      return { outcomes: reader.outcomes, problems };
    },
  };
};

const protocol = "http/1.1";

function request(random: Random): Buffer {
  const { bytes, contentType, signal } = validBody(random);
  const body = bytes.length > BODY_BYTES_MAX ? Buffer.of() : bytes;
  const isChunked = random() < 0.3;
  const head = [
    requestLine(random, httpPaths[signal]),
    "Host: fuzz",
    `Content-Type: ${contentType}`,
    isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`,
  ];
  for (let count = Math.floor(random() * 3); count > 0; count--) {
    const line = oneOf(random, lines);
    const where = 1 + Math.floor(random() * head.length);
    // In the place of another line, so that a length or a host is missing, or beside it.
    head.splice(where, random() < 0.3 ? 1 : 0, line);
  }
  const lineEnd = random() < 0.03 ? "\n" : "\r\n";
  const text = Buffer.from(`${head.join(lineEnd)}${lineEnd}${lineEnd}`, "latin1");
  return Buffer.concat([text, isChunked ? chunked(random, body) : body]);
}

function requestLine(random: Random, path: string): string {
  const method = random() < 0.1 ? oneOf(random, methods) : "POST";
  const target = random() < 0.15 ? oneOf(random, targets) : path;
  const version = random() < 0.1 ? oneOf(random, versions) : "HTTP/1.1";
  return `${method} ${target} ${version}`;
}

function chunked(random: Random, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let offset = 0; offset < body.length; ) {
    const piece = body.subarray(offset, offset + 1 + Math.floor(random() * 2_000));
    offset += piece.length;
    const size = random() < 0.1 ? oneOf(random, chunkSizes) : piece.length.toString(16);
    const end = random() < 0.05 ? "" : "\r\n";
    parts.push(Buffer.from(`${size}\r\n`, "latin1"), piece, Buffer.from(end));
  }
  const trailer = random() < 0.2 ? oneOf(random, trailers) : "";
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`, "latin1")]);
}
