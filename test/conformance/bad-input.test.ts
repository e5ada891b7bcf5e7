import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { nopExporter } from "@inode-gateway/components";
import { createTestSettings, realClock, seededRandom, TestHost } from "@inode-gateway/testkit";
import { Agent } from "undici";
import {
  assertLegalAnswer,
  assertLegalStatus,
  corpus,
  httpPaths,
  httpRequest,
  inParallel,
  mutate,
  oneOf,
  unknownMethod,
} from "./mutated-requests.js";
import { exportPaths, PlainGrpcClient } from "./otlp/grpc-client.js";
import { send } from "./otlp/http-client.js";
import { RawConnection } from "./otlp/raw-socket.js";
import { type RunningReceiver, startReceiver } from "./otlp/receiver-fixture.js";

/** Requests over each transport; the issue asks for 10,000 in all. */
const REQUESTS = 5_000;
const CONCURRENT = 32;
/** What the process may grow by while it is fed nonsense of at most 40 kB a request. */
const GROWTH_BYTES_MAX = 200 * 1_048_576;
const SEED = Number(process.env["BAD_INPUT_SEED"] ?? 20_260_101);

async function nopReceiver(t: TestContext): Promise<RunningReceiver> {
  const settings = createTestSettings({
    id: "nop",
    kind: "exporter",
    signal: "traces",
    clock: realClock,
  });
  const output = nopExporter.create(settings, {});
  await output.start(new TestHost());
  return startReceiver(t, { output });
}

/** Watches resident memory while `run` goes on. */
async function growthOf(run: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, process.memoryUsage().rss) - before;
}

function assertUnharmed(receiver: RunningReceiver): void {
  assert.deepEqual(receiver.settings.logger.messages("error"), [], "no bug came to light");
  assert.equal(receiver.count("inode_gateway_receiver_in_flight_bytes"), 0);
}

suite(`mutated requests, seed ${SEED} (BAD_INPUT_SEED)`, () => {
  test(`${REQUESTS} over HTTP each get a legal answer, and a valid one right after succeeds`, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const receiver = await nopReceiver(t);
    const dispatcher = new Agent({ connections: CONCURRENT });
    t.after(() => dispatcher.destroy());
    const random = seededRandom(SEED);
    const answers = new Map<number, number>();
    const growth = await growthOf(() =>
      inParallel(REQUESTS, CONCURRENT, async (index) => {
        const { body, headers, path } = httpRequest(random);
        const answer = await send(receiver.httpUrl + path, body, { headers, dispatcher });
        answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
        assertLegalAnswer(answer, headers["content-type"] ?? "");
        if (index % 50 === 49) await assertValidSucceeds(receiver, dispatcher);
      }),
    );
    t.diagnostic(`answers ${JSON.stringify(Object.fromEntries(answers))}, growth ${growth} bytes`);
    await assertValidSucceeds(receiver, dispatcher);
    assertUnharmed(receiver);
    assert.ok((answers.get(200) ?? 0) > REQUESTS / 20, "some mutations leave a request valid");
    assert.ok((answers.get(400) ?? 0) > REQUESTS / 4, "many do not");
    assert.ok(growth < GROWTH_BYTES_MAX, `grew by ${growth} bytes`);
  });

  test(`${REQUESTS} over gRPC each get a legal answer, and a valid one right after succeeds`, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const receiver = await nopReceiver(t);
    const client = new PlainGrpcClient(t, receiver.grpcAddress);
    const random = seededRandom(SEED + 1);
    const answers = new Map<number, number>();
    const growth = await growthOf(() =>
      inParallel(REQUESTS, CONCURRENT, async (index) => {
        const { bytes, signal } = oneOf(random, corpus);
        const path = random() < 0.02 ? unknownMethod : exportPaths[signal];
        const { code, message } = await client.call(path, mutate(random, bytes));
        answers.set(code, (answers.get(code) ?? 0) + 1);
        assertLegalStatus(code, message, path);
        if (index % 50 === 49) {
          const valid = await client.call(exportPaths[signal], bytes);
          assert.equal(valid.code, 0);
        }
      }),
    );
    t.diagnostic(`answers ${JSON.stringify(Object.fromEntries(answers))}, growth ${growth} bytes`);
    assertUnharmed(receiver);
    assert.ok((answers.get(0) ?? 0) > REQUESTS / 20);
    assert.ok((answers.get(3) ?? 0) > REQUESTS / 4);
    assert.ok(growth < GROWTH_BYTES_MAX, `grew by ${growth} bytes`);
  });
});

suite("what Node would answer without a Status", () => {
  const exchanges: readonly (readonly [string, string, RegExp])[] = [
    [
      "no Host",
      "POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
      /^HTTP\/1\.1 400 [\s\S]*\r\n\r\n\{"code":3,"message":"header Host is missing"/,
    ],
    [
      "no Host on HTTP/1.0, which does not know it",
      "POST /v1/traces HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
      /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n\{\}$/,
    ],
    [
      "an expectation that nobody knows, which is ignored",
      "POST /v1/traces HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
      /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n\{\}$/,
    ],
  ];
  for (const [title, request, answer] of exchanges) {
    test(title, async (t) => {
      const receiver = await nopReceiver(t);
      const connection = await RawConnection.open(receiver.httpUrl);
      t.after(() => connection.destroy());
      connection.write(request);
      assert.match(await connection.receive("\r\n\r\n{"), answer);
    });
  }
});

async function assertValidSucceeds(receiver: RunningReceiver, dispatcher: Agent): Promise<void> {
  for (const { bytes, signal } of corpus.slice(0, 1)) {
    const answer = await send(receiver.httpUrl + httpPaths[signal], bytes, { dispatcher });
    assert.equal(answer.status, 200);
  }
}
