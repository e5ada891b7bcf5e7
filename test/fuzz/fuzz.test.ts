import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { makeCase, runCampaign } from "./campaign.js";
import { HpackDecoder } from "./hpack-decoder.js";
import { Http1Reader } from "./http1-reader.js";
import { Http2Reader } from "./http2-reader.js";

/** A share of what `npm run fuzz` sends before a release: about a minute on a busy machine. */
const requests = Number(process.env["FUZZ_REQUESTS"] ?? 10_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_260_101);

suite(`fuzzing, seed ${seed} (FUZZ_SEED)`, () => {
  // Scenario: bodies, compressed streams, heads, frames and header blocks with things wrong in them.
  // Guarantees: no crash, no bug, no answer outside the protocol, nothing broken exported, nothing
  // left behind, and valid requests succeed all the time. Not proven: anything about other seeds.
  test(`${requests} mutated requests do no harm (FUZZ_REQUESTS)`, async (t) => {
    const report = await runCampaign(t, { requests, seed });
    t.diagnostic(JSON.stringify(Object.fromEntries([...report.outcomes].sort())));
    t.diagnostic(`grew by ${Math.round(report.growthBytes / 1_048_576)} MiB`);
    const found = report.findings.map(({ caseNumber, kind, problem }) => {
      return `seed ${seed}, case ${caseNumber} (${kind}): ${problem}`;
    });
    assert.deepEqual(found, []);
    assert.ok(report.requests >= requests);
    for (const outcome of ["http body: http 200", "grpc message: grpc 0", "http/1.1: http 400"]) {
      assert.ok((report.outcomes.get(outcome) ?? 0) > 0, `some requests end with ${outcome}`);
    }
  });

  test("a case's number and the seed decide its requests", () => {
    for (let number = 0; number < 50; number++) {
      const [one, same] = [makeCase(seed, number), makeCase(seed, number)];
      assert.deepEqual([one.kind, one.made.requests], [same.kind, same.made.requests]);
    }
  });
});

// What judges the answers must itself see what is wrong with them.
suite("readers of answers", () => {
  const frame = (type: number, flags: number, streamId: number, payload: Uint8Array) => {
    const header = Buffer.alloc(9);
    header.writeUIntBE(payload.length, 0, 3);
    header.set([type, flags], 3);
    header.writeUInt32BE(streamId, 5);
    return Buffer.concat([header, payload]);
  };
  const settings = frame(4, 0, 0, Buffer.of());
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
  const literal = (name: string, value: string) =>
    Buffer.concat([Buffer.of(0), text(name), text(value)]);
  const trailersOnly = (code: string) =>
    Buffer.concat([
      Buffer.of(0x88),
      literal("content-type", "application/grpc"),
      literal("grpc-status", code),
      literal("grpc-message", "no"),
    ]);

  const http2Cases: readonly (readonly [string, readonly Buffer[], RegExp | undefined])[] = [
    ["a refusal", [settings, frame(1, 5, 1, trailersOnly("3"))], undefined],
    ["no SETTINGS first", [frame(1, 5, 1, trailersOnly("3"))], /first frame is no SETTINGS/],
    ["a status of a bug", [settings, frame(1, 5, 1, trailersOnly("2"))], /grpc-status 2/],
    ["a frame on an even stream", [settings, frame(1, 5, 2, trailersOnly("3"))], /stream/],
    ["an unknown type", [settings, frame(99, 0, 0, Buffer.of())], /never sends/],
    ["a PING of seven bytes", [settings, frame(6, 1, 0, Buffer.alloc(7))], /a length/],
    ["DATA before headers", [settings, frame(0, 1, 1, Buffer.of(1))], /before headers/],
    ["a header block that is cut", [settings, frame(1, 5, 1, Buffer.of(0, 5, 97))], /header block/],
    ["half a frame", [settings, Buffer.of(0, 0, 9)], /half a frame/],
  ];
  for (const [title, bytes, problem] of http2Cases) {
    test(`HTTP/2: ${title}`, () => {
      const reader = new Http2Reader("grpc", 1);
      for (const chunk of bytes) reader.take(chunk);
      const [found, ...others] = reader.problems(false);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(String(found), problem);
      assert.deepEqual(others, []);
    });
  }

  const head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n";
  const body = '{"code":3,"message":"no"}';
  const http1Cases: readonly (readonly [string, string, RegExp | undefined])[] = [
    ["a refusal", `${head}content-length: ${body.length}\r\n\r\n${body}`, undefined],
    ["no Status", `${head}content-length: 2\r\n\r\n{}`, /without a Status|an empty Status/],
    ["no length", `${head}\r\n`, /without content-length/],
    ["half a body", `${head}content-length: 99\r\n\r\n{`, /half an answer/],
    ["a status of a bug", "HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", /HTTP status 500/],
    ["no HTTP", "hello\r\n\r\n", /status line/],
  ];
  for (const [title, bytes, problem] of http1Cases) {
    test(`HTTP/1.1: ${title}`, () => {
      const reader = new Http1Reader(1);
      reader.take(Buffer.from(bytes));
      const [found] = reader.problems(false);
      if (problem === undefined) assert.equal(found, undefined);
      else assert.match(String(found), problem);
    });
  }

  // Examples of RFC 7541, appendix C.6: Huffman, and a table that drops what is too old.
  test("HPACK: the examples of the RFC", () => {
    const decoder = new HpackDecoder();
    const blocks = [
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad1718" +
        "63c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
    ];
    const [first, second] = blocks.map((block) => decoder.decode(Buffer.from(block, "hex")));
    assert.deepEqual(first, [
      [":status", "302"],
      ["cache-control", "private"],
      ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
      ["location", "https://www.example.com"],
    ]);
    assert.deepEqual(second?.[0], [":status", "307"]);
    assert.equal(second?.length, 4);
  });
});
