// The senders of a soak, a process of its own: told over IPC how many requests a second to send.
import { Agent, request as httpRequest } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { buildRequest } from "@inode-gateway/testkit";
import { bodiesPerCase, resourceOf } from "../gateway/bench-cases.js";
import { type SoakLoadReply, type SoakLoadRequest, spansPerRequest } from "./soak-load.js";

/** Requests on their way at most: above it the rate is what the gateway takes. */
const inFlightMax = 32;
const tickMs = 5;
const grpcConnections = 4;
/** One of so many requests has a Resource that was never seen before. */
const requestsPerNewResource = 8;
const instancePlaceholder = "NNNNNNNN";
const grpcPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const templates = Array.from({ length: bodiesPerCase }, (_, index) => {
  const body = Buffer.from(
    buildRequest("traces", {
      seed: 5_000 + index,
      itemsPerScope: spansPerRequest,
      resourceAttributes: () => ({
        ...resourceOf(index),
        "service.instance.id": instancePlaceholder,
      }),
    }),
  );
  return { body, instanceAt: body.indexOf(instancePlaceholder) };
});

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let sessions: ClientHttp2Session[] = [];
let target: SoakLoadRequest | undefined;
let sinceMs = 0;
let sentSince = 0;
let sent = 0;
let inFlight = 0;
const totals = { acknowledged: 0, failed: 0 };

process.on("message", (request: SoakLoadRequest) => {
  sessions =
    sessions.length > 0
      ? sessions
      : Array.from({ length: grpcConnections }, () => connectTo(request.grpcPort));
  target = request;
  sinceMs = performance.now();
  sentSince = 0;
  if (request.perSecond > 0) process.send?.(totals satisfies SoakLoadReply);
});
process.on("disconnect", () => process.exit(0));
setInterval(tick, tickMs);

function connectTo(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  return session;
}

function tick(): void {
  if (target === undefined) return;
  if (target.perSecond === 0) {
    if (inFlight > 0) return;
    target = undefined;
    process.send?.(totals satisfies SoakLoadReply);
    return;
  }
  const due = ((performance.now() - sinceMs) / 1_000) * target.perSecond;
  while (sentSince < due && inFlight < inFlightMax) {
    sentSince++;
    send(target, sent++);
  }
  // What could not be sent in time is not made up for: that would be a burst.
  sentSince = Math.max(sentSince, Math.floor(due) - inFlightMax);
}

function send({ httpPort }: SoakLoadRequest, number: number): void {
  const { body, instanceAt } = templates[number % templates.length] ?? {};
  if (body === undefined || instanceAt === undefined) return;
  const instance = number % requestsPerNewResource === 0 ? number : 0;
  body.write(String(instance).padStart(instancePlaceholder.length, "0"), instanceAt, "latin1");
  inFlight++;
  let isOver = false;
  const ended = (isGood: boolean) => {
    if (isOver) return;
    isOver = true;
    inFlight--;
    if (isGood) totals.acknowledged++;
    else totals.failed++;
  };
  // The bytes are copied: the template changes before all of them are written.
  if (number % 2 === 0) sendGrpc(number, Buffer.from(body), ended);
  else sendHttp(httpPort, Buffer.from(body), ended);
}

function sendGrpc(number: number, body: Buffer, ended: (isGood: boolean) => void): void {
  const stream = sessions[(number >> 1) % sessions.length]?.request({
    ":method": "POST",
    ":path": grpcPath,
    "content-type": "application/grpc",
    te: "trailers",
  });
  if (stream === undefined) {
    ended(false);
    return;
  }
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.byteLength, 1);
  let status = "";
  const note = (headers: object) => {
    status = String((headers as Record<string, unknown>)["grpc-status"] ?? status);
  };
  stream
    .on("response", note)
    .on("trailers", note)
    .on("error", () => undefined);
  stream.on("close", () => ended(status === "0"));
  stream.resume();
  stream.end(Buffer.concat([head, body]));
}

function sendHttp(port: number, body: Buffer, ended: (isGood: boolean) => void): void {
  const headers = {
    "content-type": "application/x-protobuf",
    "content-length": body.byteLength,
  };
  const options = { port, host: "127.0.0.1", method: "POST", path: "/v1/traces", agent, headers };
  const request = httpRequest(options, (response) => {
    response.resume();
    response.on("close", () => ended(response.statusCode === 200));
  });
  request.on("error", () => ended(false));
  request.end(body);
}
