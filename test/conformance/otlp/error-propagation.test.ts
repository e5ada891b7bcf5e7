import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Clock } from "@inode-gateway/contract";
import { encodeStatus, statusToJson } from "@inode-gateway/grpc";
import { protobufToJson } from "@inode-gateway/otlp";
import { createTestBatch, realClock } from "@inode-gateway/testkit";
import { GrpcBackend, HttpBackend } from "./backends.js";
import { startGrpcExporter, startHttpExporter } from "./exporter-fixture.js";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { readStatus, send } from "./http-client.js";
import { startReceiver } from "./receiver-fixture.js";

// The Collector's matrices (collector: internal/e2e/error_propagation_test.go), through real
// sockets: client, receiver, exporter without queue and retry, backend.

/** A gRPC backend's code, and what clients are told. */
const grpcBackendCases: readonly (readonly [
  code: number,
  grpcClient: number,
  httpClient: number,
])[] = [
  [1, 1, 503],
  [2, 2, 500],
  [3, 3, 400],
  [4, 4, 503],
  [5, 5, 500],
  [6, 6, 500],
  [7, 7, 403],
  [8, 8, 429],
  [9, 9, 500],
  [10, 10, 503],
  [11, 11, 503],
  [12, 12, 404],
  [13, 13, 500],
  [14, 14, 503],
  [15, 15, 503],
  [16, 16, 401],
  // No code of gRPC.
  [17, 2, 500],
];

/** gRPC codes that OTLP lets a client send again when RetryInfo comes with them. */
const retryableCodes: ReadonlySet<number> = new Set([1, 4, 8, 10, 11, 14, 15]);

/**
 * An HTTP backend's status, and what clients are told. Beside the Collector's matrix: 429 is
 * UNAVAILABLE with RetryInfo for a gRPC client, who would take RESOURCE_EXHAUSTED for final; 413 stays
 * what it is.
 */
const httpBackendCases: readonly (readonly [
  status: number,
  grpcClient: number,
  httpClient: number,
])[] = [
  [301, 2, 500],
  [307, 2, 500],
  [400, 3, 400],
  [401, 16, 401],
  [402, 2, 500],
  [403, 7, 403],
  [404, 12, 404],
  [405, 2, 500],
  [408, 2, 500],
  [409, 2, 500],
  [410, 2, 500],
  [413, 8, 413],
  [415, 2, 500],
  [418, 2, 500],
  [422, 2, 500],
  [429, 14, 429],
  [431, 2, 500],
  [500, 2, 500],
  [501, 2, 500],
  [502, 14, 503],
  [503, 14, 503],
  [504, 14, 503],
  [505, 2, 500],
  [599, 2, 500],
];

/** HTTP statuses whose Retry-After OTLP gives a meaning. */
const throttlingStatuses: ReadonlySet<number> = new Set([429, 503]);

/** It is always the beginning of 2026, from which a date of `Retry-After` is told. */
const newYear: Clock = {
  nowMs: () => realClock.nowMs(),
  setTimer: (...timer) => realClock.setTimer(...timer),
  unixMs: () => Date.UTC(2026, 0, 1),
};

/** `Retry-After` of a backend, and the seconds that it stands for. */
const retryAfterCases: readonly (readonly [header: string | undefined, seconds: number])[] = [
  [undefined, Number.NaN],
  ["7", 7],
  ["Thu, 01 Jan 2026 00:00:09 GMT", 9],
];

const { bytes } = createTestBatch();
const json = protobufToJson("traces", bytes);

/** What all clients of one receiver were told, the same by every one. */
interface Told {
  readonly grpcCode: number;
  readonly httpStatus: number;
  readonly message: string;
  /** Of RetryInfo, in the gRPC status and in both Status bodies. */
  readonly retrySeconds: number | undefined;
  readonly retryAfter: string | undefined;
}

test("a gRPC backend's status, with RetryInfo and without, to clients of gRPC and HTTP", async (t) => {
  const backend = await GrpcBackend.start(t);
  const { exporter } = await startGrpcExporter(t, {
    endpoint: backend.endpoint,
    tls: { insecure: true },
  });
  const ask = await clientsOf(t, exporter);
  for (const [code, grpcCode, httpStatus] of grpcBackendCases) {
    for (const asked of [undefined, 4.2]) {
      const retrySeconds = retryableCodes.has(code) ? asked : undefined;
      const name = `${code}, RetryInfo ${asked}: ${grpcCode} and ${httpStatus}, ${retrySeconds}`;
      await t.test(name, async () => {
        const message = `says ${code}`;
        backend.answer = () => ({
          code,
          message,
          ...(asked === undefined ? {} : { retrySeconds: asked }),
        });
        assert.deepEqual(await ask(), {
          grpcCode,
          httpStatus,
          message,
          retrySeconds,
          retryAfter: retrySeconds === undefined ? undefined : "5",
        });
      });
    }
  }
});

for (const encoding of ["json", "protobuf"] as const) {
  test(`an HTTP backend's status with a Status in ${encoding}, to clients of gRPC and HTTP`, async (t) => {
    const backend = await HttpBackend.start(t);
    const config = { endpoint: backend.url };
    const { exporter } = await startHttpExporter(t, config, "traces", { clock: newYear });
    const ask = await clientsOf(t, exporter);
    for (const [status, grpcCode, httpStatus] of httpBackendCases) {
      for (const [header, seconds] of retryAfterCases) {
        const passed = header !== undefined && throttlingStatuses.has(status);
        // Overload without a time is given one.
        const retrySeconds = passed ? seconds : status === 429 ? 1 : undefined;
        const name = `${status}, Retry-After ${header}: ${grpcCode} and ${httpStatus}, ${retrySeconds}`;
        await t.test(name, async () => {
          const said = { code: 2, message: `says ${status}` };
          backend.answer = () => ({
            status,
            headers: {
              "content-type": `application/${encoding === "json" ? "json" : "x-protobuf"}`,
              ...(header === undefined ? {} : { "retry-after": header }),
            },
            body: encoding === "json" ? statusToJson(said) : encodeStatus(said),
          });
          assert.deepEqual(await ask(), {
            grpcCode,
            httpStatus,
            message: said.message,
            retrySeconds,
            retryAfter: retrySeconds === undefined ? undefined : String(retrySeconds),
          });
        });
      }
    }
  });
}

/** Starts a receiver before `output`; the result asks it over gRPC and HTTP in both encodings. */
async function clientsOf(
  t: TestContext,
  output: Awaited<ReturnType<typeof startGrpcExporter>>["exporter"],
): Promise<() => Promise<Told>> {
  const receiver = await startReceiver(t, { output });
  const client = new PlainGrpcClient(t, receiver.grpcAddress);
  const url = `${receiver.httpUrl}/v1/traces`;
  return async () => {
    const overGrpc = await client.call(exportPaths.traces, bytes);
    const answers: Told[] = [];
    for (const [body, type] of [
      [bytes, "application/x-protobuf"],
      [json, "application/json"],
    ] as const) {
      const answer = await send(url, body, { headers: { "content-type": type } });
      assert.equal(answer.headers["content-type"], type);
      const { code, message, retrySeconds } = readStatus(answer);
      assert.deepEqual(
        [code, message, retrySeconds],
        [overGrpc.code, overGrpc.message, overGrpc.retrySeconds],
        `the Status in ${type} is that of gRPC`,
      );
      const retryAfter = answer.headers["retry-after"] as string | undefined;
      const { status: httpStatus } = answer;
      answers.push({ grpcCode: code, httpStatus, message, retrySeconds, retryAfter });
    }
    assert.deepEqual(answers[0], answers[1], "protobuf and JSON");
    return answers[0] as Told;
  };
}
