import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** What a raw server answers to every request: fields and bytes of the test's own making. */
export interface RawAnswer {
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array;
  /** Undefined sends none: the stream ends behind the body. */
  readonly trailers?: Readonly<Record<string, string | number>>;
  /** Ends the stream with RST_STREAM instead. */
  readonly resetCode?: number;
}

/**
 * Starts an HTTP/2 server that reads each request to its end and gives one answer to all; returns
 * `host:port`, and the headers of the requests as they come in.
 */
export async function startRawServer(
  t: TestContext,
  answer: RawAnswer,
): Promise<{ address: string; requests: IncomingHttpHeaders[] }> {
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer();
  server.on("stream", (stream, headers) => {
    requests.push(headers);
    stream.on("error", () => undefined);
    stream.on("end", () => reply(stream, answer));
    stream.resume();
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, requests };
}

function reply(stream: ServerHttp2Stream, answer: RawAnswer): void {
  if (answer.resetCode !== undefined) {
    stream.close(answer.resetCode);
    return;
  }
  const headers = { ":status": 200, "content-type": "application/grpc", ...answer.headers };
  const { trailers, body } = answer;
  if (trailers === undefined) {
    stream.respond(headers);
    stream.end(body);
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}
