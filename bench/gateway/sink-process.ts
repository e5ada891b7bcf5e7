// The backend, a process of its own: takes gRPC exports, counts their spans, and answers `count`.
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { countItems } from "@inode-gateway/otlp";

/** What the sink tells the bench. */
export interface SinkReport {
  readonly port: number;
  readonly spans: number;
  readonly requests: number;
  /** Spans in requests that carry no container.id anywhere: 0 unless resolving failed. */
  readonly spansWithoutContainer: number;
  readonly bytes: number;
}

const containerIdKey = Buffer.from("container.id");
const windowBytes = 16 * 1024 * 1024;
const emptyResponse = Buffer.alloc(5);
const totals = { spans: 0, requests: 0, spansWithoutContainer: 0, bytes: 0 };

const server = createServer({
  settings: { initialWindowSize: windowBytes, maxConcurrentStreams: 1_000 },
});
server.on("session", (session) => session.setLocalWindowSize(windowBytes));
server.on("stream", (stream: ServerHttp2Stream) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined);
  stream.on("end", () => {
    take(Buffer.concat(chunks));
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(emptyResponse);
  });
});
server.listen(0, "127.0.0.1", report);
process.on("message", report);
process.on("disconnect", () => process.exit(0));

function take(framed: Buffer): void {
  const message = framed.subarray(5);
  const spans = countItems("traces", message);
  totals.requests++;
  totals.spans += spans;
  totals.bytes += message.byteLength;
  if (!message.includes(containerIdKey)) totals.spansWithoutContainer += spans;
}

function report(): void {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port, ...totals } satisfies SinkReport);
}
