import { loadDefinitions } from "@inode-gateway/testkit";
import { type Agent, request as undiciRequest } from "undici";

/** An HTTP answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** How a request differs from a protobuf POST. */
export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly dispatcher?: Agent;
}

/** Sends one request with undici, protobuf unless `headers` say otherwise. */
export async function send(
  url: string,
  body: Uint8Array | string | undefined,
  options: RequestOptions = {},
): Promise<Answer> {
  const { method = "POST", headers = { "content-type": "application/x-protobuf" } } = options;
  const response = await undiciRequest(url, {
    method: method as "POST",
    headers,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : Buffer.from(body) }),
    ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
  });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  return { status: response.statusCode, headers: response.headers, body: bytes };
}

/** google.rpc.Status as a client reads it. */
export interface ReadStatus {
  readonly code: number;
  readonly message: string;
  /** Seconds of RetryInfo; undefined without one. */
  readonly retrySeconds: number | undefined;
}

const rpc = loadDefinitions(["google/rpc/status.proto", "google/rpc/error_details.proto"]);
const statusType = rpc.lookupType("google.rpc.Status");
const retryInfoType = rpc.lookupType("google.rpc.RetryInfo");

/** Reads a Status with protobufjs, not with our own code. */
export function readStatusBytes(bytes: Uint8Array): ReadStatus {
  const decoded = statusType.toObject(statusType.decode(bytes), { defaults: true }) as {
    code: number;
    message: string;
    details: { type_url: string; value: Uint8Array }[];
  };
  const detail = decoded.details.find(({ type_url }) => type_url.endsWith("google.rpc.RetryInfo"));
  const info =
    detail &&
    (retryInfoType.toObject(retryInfoType.decode(detail.value), {
      longs: Number,
      defaults: true,
    }) as {
      retry_delay: { seconds: number; nanos: number } | null;
    });
  const delay = info?.retry_delay;
  return {
    code: decoded.code,
    message: decoded.message,
    retrySeconds: delay ? delay.seconds + delay.nanos / 1e9 : undefined,
  };
}

/** Reads the Status of an answer in the encoding that its Content-Type names. */
export function readStatus(answer: Answer): ReadStatus {
  if (answer.headers["content-type"] === "application/x-protobuf") {
    return readStatusBytes(answer.body);
  }
  const json = JSON.parse(answer.body.toString()) as {
    code: number;
    message: string;
    details?: { "@type": string; retryDelay?: string }[];
  };
  const delay = json.details?.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay;
  return {
    code: json.code,
    message: json.message,
    retrySeconds: delay === undefined ? undefined : Number.parseFloat(delay),
  };
}
