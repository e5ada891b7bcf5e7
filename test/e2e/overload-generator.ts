// A process that sends requests at a rate, whatever is answered, and measures how long refusals take:
// half of the requests over each protocol, and gzip bombs among them. Started by `OpenLoad`.
import { readFileSync } from "node:fs";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { gzipSync } from "node:zlib";
import { exportPaths } from "../conformance/otlp/grpc-client.js";
import { readStatusBytes } from "../conformance/otlp/http-client.js";
import type { LoadOrder, LoadReport, Refusal } from "./overload-load.js";
import { numberedRequest } from "./overload-request.js";

/** Bytes that a bomb becomes; more than the receiver takes. */
const bombBytes = 50_000_000;
/** How often requests are sent. */
const tickMs = 10;
/** One bomb in so many ticks. */
const ticksPerBomb = 10;
/** While more requests are unanswered, none are sent: their times would say nothing of the gateway. */
const unansweredMax = 100;
const unansweredBombsMax = 4;
const grpcSessions = 4;
/** A request without an answer after this time is a failure of the gateway. */
const answerLimitMs = 30_000;
const timerResolutionMs = 2;

const bomb = gzipSync(Buffer.alloc(bombBytes));
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

const report: LoadReport = {
  acknowledged: [],
  refusals: [],
  bombsTooLarge: 0,
  unexpected: [],
  sent: 0,
  lateByMs: { p99: 0, max: 0 },
};

/** The times of one request; how long both processes waited for a processor is the kernel's count. */
class Stopwatch {
  readonly #gatewayPid: number;
  #sentMs = 0;
  #waitedMs = 0;

  constructor(gatewayPid: number) {
    this.#gatewayPid = gatewayPid;
    this.written();
  }

  /** The last byte has been written: from here on it is the gateway's time. */
  written(): void {
    this.#sentMs = performance.now();
    this.#waitedMs = this.#waitMs();
  }

  /** The answer is here. An answer before the last byte counts from the first one on. */
  stop(): Pick<Refusal, "tookMs" | "waitedMs"> {
    const tookMs = performance.now() - this.#sentMs;
    return { tookMs, waitedMs: this.#waitMs() - this.#waitedMs };
  }

  #waitMs(): number {
    return runQueueMs(this.#gatewayPid) + runQueueMs(process.pid);
  }
}

/** How long the main thread of a process was ready to run and had no processor; 0 where nobody counts. */
function runQueueMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

async function run({ grpc, http, perSecond, durationMs, gatewayPid }: LoadOrder): Promise<void> {
  const sessions = Array.from({ length: grpcSessions }, () => openSession(grpc));
  const lateness = monitorEventLoopDelay({ resolution: timerResolutionMs });
  lateness.enable();
  const pending = new Set<Promise<void>>();
  const begin = (request: Promise<void>) => {
    const counted = request
      .catch((error: unknown) => void report.unexpected.push(String(error)))
      .finally(() => pending.delete(counted));
    pending.add(counted);
  };
  const startMs = performance.now();
  let slot = 0;
  let ticks = 0;
  let unansweredBombs = 0;
  while (performance.now() - startMs < durationMs) {
    const due = Math.floor(((performance.now() - startMs) * perSecond) / 1_000);
    for (; slot < due; slot++) {
      if (pending.size >= unansweredMax) continue;
      const number = report.sent++;
      const body = numberedRequest(number);
      const session = sessions[(number >> 1) % grpcSessions];
      const isGrpc = number % 2 === 0 && session !== undefined;
      begin(
        isGrpc
          ? sendGrpc(session, number, body, gatewayPid)
          : sendHttp(http, number, body, gatewayPid),
      );
    }
    if (ticks++ % ticksPerBomb === 0 && unansweredBombs < unansweredBombsMax) {
      unansweredBombs++;
      begin(sendBomb(http, gatewayPid).finally(() => unansweredBombs--));
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(pending);
  lateness.disable();
  const late = (delayNs: number) => Math.max(0, delayNs / 1e6 - timerResolutionMs);
  report.lateByMs = { p99: late(lateness.percentile(99)), max: late(lateness.max) };
  for (const session of sessions) session.close();
  agent.destroy();
}

function openSession(address: string): ClientHttp2Session {
  const session = connect(`http://${address}`);
  session.on("error", (error) => void report.unexpected.push(`gRPC connection: ${error}`));
  return session;
}

async function sendGrpc(
  session: ClientHttp2Session,
  number: number,
  body: Buffer,
  gatewayPid: number,
): Promise<void> {
  const frame = Buffer.concat([Buffer.alloc(5), body]);
  frame.writeUInt32BE(body.length, 1);
  const watch = new Stopwatch(gatewayPid);
  const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": exportPaths.traces,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const answered = (received: IncomingHttpHeaders) => {
      if (received["grpc-status"] !== undefined) resolve(received);
    };
    stream.on("response", answered).on("trailers", answered).on("error", reject);
    stream.on("close", () => reject(new Error(`gRPC stream ended: ${stream.rstCode}`)));
    stream.setTimeout(answerLimitMs, () => reject(new Error("gRPC call without an answer")));
    stream.resume();
    stream.end(frame, () => watch.written());
  });
  const code = headers["grpc-status"];
  if (code === "0") {
    report.acknowledged.push(number);
  } else if (code === "14") {
    const details = Buffer.from(String(headers["grpc-status-details-bin"] ?? ""), "base64");
    const { retrySeconds } = readStatusBytes(details);
    report.refusals.push({ kind: "grpc", ...watch.stop(), retrySeconds });
  } else {
    report.unexpected.push(`gRPC ${code} ${headers["grpc-message"]}`);
  }
}

async function sendHttp(
  address: string,
  number: number,
  body: Buffer,
  gatewayPid: number,
): Promise<void> {
  const watch = new Stopwatch(gatewayPid);
  const answer = await post(address, body, watch, {});
  if (answer.statusCode === 200) report.acknowledged.push(number);
  else noteHttp("http", watch, answer);
}

async function sendBomb(address: string, gatewayPid: number): Promise<void> {
  const watch = new Stopwatch(gatewayPid);
  const answer = await post(address, bomb, watch, { "content-encoding": "gzip" });
  if (answer.statusCode === 413) report.bombsTooLarge++;
  else noteHttp("bomb", watch, answer);
}

function post(
  address: string,
  body: Buffer,
  watch: Stopwatch,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`http://${address}/v1/traces`, {
      method: "POST",
      agent,
      timeout: answerLimitMs,
      headers: {
        "content-type": "application/x-protobuf",
        "content-length": body.length,
        ...headers,
      },
    });
    request.on("response", (response) => {
      response.resume();
      resolve(response);
    });
    request.on("timeout", () => request.destroy(new Error("HTTP request without an answer")));
    // After an answer that comes before the last byte this is heard by nobody.
    request.on("error", reject);
    request.end(body, () => watch.written());
  });
}

function noteHttp(kind: Refusal["kind"], watch: Stopwatch, answer: IncomingMessage): void {
  if (answer.statusCode !== 503) {
    report.unexpected.push(`HTTP ${answer.statusCode} ${kind}`);
    return;
  }
  const retryAfter = answer.headers["retry-after"];
  const retrySeconds = retryAfter === undefined ? undefined : Number(retryAfter);
  report.refusals.push({ kind, ...watch.stop(), retrySeconds });
}

process.once("message", (order: LoadOrder) => {
  void run(order).then(() => process.send?.(report, () => process.disconnect()));
});
