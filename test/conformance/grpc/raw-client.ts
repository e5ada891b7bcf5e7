import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import type { TestContext } from "node:test";

/** What came back for one request, as HTTP/2 has it. */
export interface RawReply {
  /** NaN when there was no answer. */
  readonly httpStatus: number;
  /** From the headers or the trailers, undefined when neither has one. */
  readonly grpcStatus: number | undefined;
  readonly grpcMessage: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of RST_STREAM; 0 when there was none. */
  readonly resetCode: number;
}

/** A request in the caller's own bytes, legal or not. */
export interface RawRequest {
  readonly path: string;
  /** Beside the usual ones; undefined takes one of those away, an array sends several fields. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Each is a DATA frame of its own. */
  readonly body?: readonly Uint8Array[];
  /** Leave the request open behind the body. */
  readonly isEndless?: boolean;
}

/** A gRPC peer made of node:http2 alone, which sends whatever it is told to. */
export class RawClient {
  readonly session: ClientHttp2Session;

  constructor(t: TestContext, address: string) {
    this.session = connect(`http://${address}`, { maxSendHeaderBlockLength: 1_000_000 });
    this.session.on("error", () => undefined);
    t.after(() => this.session.destroy());
  }

  /** Resolves when the stream is closed, by whomever. */
  async send(request: RawRequest): Promise<RawReply> {
    const given = Object.entries({ ...usualHeaders, ...request.headers, ":path": request.path });
    const headers = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    const stream = this.session.request(headers as Record<string, string>, { endStream: false });
    let received: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on("response", (fields) => {
      received = { ...received, ...fields };
    });
    stream.on("trailers", (fields) => {
      received = { ...received, ...fields };
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => undefined);
    const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
    for (const part of request.body ?? []) {
      if (stream.closed) break;
      await new Promise<void>((resolve) => stream.write(part, () => resolve()));
    }
    if (request.isEndless !== true) stream.end();
    await closed;
    const status = received["grpc-status"];
    return {
      httpStatus: Number(received[":status"] ?? Number.NaN),
      grpcStatus: status === undefined ? undefined : Number(status),
      grpcMessage: decodeURIComponent(String(received["grpc-message"] ?? "")),
      headers: received,
      body: Buffer.concat(chunks),
      resetCode: stream.rstCode ?? 0,
    };
  }
}

/** One gRPC message in its frame. */
export function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(flag, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}

const usualHeaders = {
  ":method": "POST",
  "content-type": "application/grpc",
  te: "trailers",
} as const;
