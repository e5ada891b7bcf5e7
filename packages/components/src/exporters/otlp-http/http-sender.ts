import { type ClientTlsMaterial, readClientTls } from "@inode-gateway/config";
import {
  type Batch,
  type ComponentSettings,
  type Host,
  PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { decodeResponse, decodeResponseJson, type PartialSuccess } from "@inode-gateway/otlp";
import type { Dispatcher } from "undici";
import {
  type ClientAuthenticator,
  clientAuthenticatorOf,
} from "../../capabilities/authenticator.js";
import type { Sender } from "../../delivery/delivery-step.js";
import { connectFailure } from "../../transport/connect-failure.js";
import { warnOfPlainCredentials } from "../../transport/exporter-auth.js";
import { jsonMediaType, protobufMediaType } from "../../transport/otlp-names.js";
import { TIMER_MS_MAX } from "../../transport/timer-duration.js";
import { TlsReload } from "../../transport/tls-reload.js";
import type { OtlpHttpConfig } from "./config.js";
import { CookieJar } from "./cookie-jar.js";
import { HttpDestination } from "./http-destination.js";
import { failureOfAnswer, type HttpAnswer } from "./http-failure.js";
import { type BodyFormat, type RequestBody, requestBody } from "./request-body.js";
import { signalUrl } from "./signal-url.js";

/** As much of an answer as is read; the Collector's limit. */
const RESPONSE_BYTES_MAX = 65_536;
/** Chunks of a batch above this size are written one after another instead of being joined. */
const JOINED_BYTES_MAX = 65_536;

/** Sends batches of one signal as OTLP/HTTP requests over a pool of connections. */
export class HttpSender implements Sender {
  readonly #settings: ComponentSettings;
  readonly #config: OtlpHttpConfig;
  readonly #signal: Signal;
  readonly #target: URL;
  readonly #format: BodyFormat;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #cookies: CookieJar | undefined;
  #url: URL | undefined;
  #destination: HttpDestination | undefined;
  #authenticator: ClientAuthenticator | undefined;
  #tlsReload: TlsReload<ClientTlsMaterial> | undefined;

  /** @throws Error when the configuration has no endpoint for the signal */
  constructor(settings: ComponentSettings, signal: Signal, config: OtlpHttpConfig) {
    const { compression, compression_params, encoding } = config;
    const coding = codings[compression];
    this.#cookies = config.cookies?.enabled === true ? new CookieJar(settings.clock) : undefined;
    this.#settings = settings;
    this.#config = config;
    this.#signal = signal;
    this.#target = signalUrl(config, signal);
    this.#format = {
      encoding,
      compression: coding === undefined ? "none" : coding === "deflate" ? "zlib" : coding,
      level: compression_params.level,
    };
    this.#headers = {
      "user-agent": `${settings.build.command}/${settings.build.version}`,
      ...lowerCaseNames(config.headers),
      "content-type": encoding === "json" ? jsonMediaType : protobufMediaType,
      ...(coding === undefined ? {} : { "content-encoding": coding }),
    };
  }

  async start(host: Host): Promise<void> {
    const { auth } = this.#config;
    const url = this.#target;
    const isTls = url.protocol === "https:";
    if (auth !== undefined) {
      this.#authenticator = clientAuthenticatorOf(host, auth.authenticator);
      if (!isTls) warnOfPlainCredentials(this.#settings.logger, url.origin);
    }
    const tls = isTls ? await this.#readTls() : undefined;
    this.#url = url;
    // Loaded by those who send over HTTP: it is a seventh of the heap that V8 marks under load.
    const undici = await import("undici");
    this.#destination = new HttpDestination(this.#settings, this.#config, undici, url.origin, tls);
    this.#tlsReload?.follow();
  }

  async send(batch: Batch, deadlineMs: number): Promise<PartialSuccess | undefined> {
    const body = await requestBody(batch, this.#format);
    const answer = await this.#exchange(body, deadlineMs);
    const url = String(this.#url);
    if (answer.httpStatus < 200 || answer.httpStatus > 299) {
      throw failureOfAnswer(url, answer, this.#settings.clock.unixMs());
    }
    try {
      return partialSuccessOf(this.#signal, answer);
    } catch (cause) {
      const size = answer.body.byteLength;
      const message = `${url} answered ${answer.httpStatus} with ${size} bytes that are no OTLP response`;
      throw new PermanentError("BACKEND_REJECTED", message, { cause });
    }
  }

  async close(deadlineMs: number): Promise<void> {
    const destination = this.#destination;
    this.#destination = undefined;
    this.#tlsReload?.stop();
    await destination?.close(deadlineMs);
  }

  async #readTls(): Promise<ClientTlsMaterial> {
    const config = { ...this.#config.tls, insecure: false };
    this.#tlsReload = new TlsReload(this.#settings, {
      config,
      section: "tls",
      read: async () => (await readClientTls(config)) ?? {},
      apply: (material) => this.#destination?.replaceTls(material),
    });
    return this.#tlsReload.read();
  }

  async #exchange(body: RequestBody, deadlineMs: number): Promise<HttpAnswer> {
    const { clock } = this.#settings;
    const url = this.#url;
    const destination = this.#destination;
    if (url === undefined || destination === undefined) {
      throw new RetryableError("SHUTTING_DOWN", "the exporter is not running");
    }
    const abort = new AbortController();
    const remainingMs = Math.min(Math.max(0, deadlineMs - clock.nowMs()), TIMER_MS_MAX);
    const timer = clock.setTimer(remainingMs, () => abort.abort());
    try {
      const response = await destination.request({
        method: "POST",
        path: url.pathname + url.search,
        headers: this.#headersOf(body),
        body: outgoing(body),
        signal: abort.signal,
        // The deadline above covers both; undici's own would be 300 s each.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const setCookie = response.headers["set-cookie"];
      if (setCookie !== undefined) this.#cookies?.store([setCookie].flat());
      return await readAnswer(response);
    } catch (cause) {
      throw networkFailure(String(url), cause, abort.signal.aborted);
    } finally {
      timer.cancel();
    }
  }

  /** Credentials are asked for anew: a token in a file may have changed. */
  #headersOf(body: RequestBody): Record<string, string> {
    const headers: Record<string, string> = {
      ...this.#headers,
      "content-length": String(body.byteLength),
    };
    const cookie = this.#cookies?.header;
    if (cookie !== undefined) headers["cookie"] = cookie;
    if (this.#authenticator === undefined) return headers;
    for (const [name, value] of this.#authenticator.authorizationHeaders()) headers[name] = value;
    return headers;
  }
}

const codings = {
  gzip: "gzip",
  zstd: "zstd",
  snappy: "snappy",
  "x-snappy-framed": "x-snappy-framed",
  zlib: "zlib",
  deflate: "deflate",
  none: undefined,
  lz4: undefined,
  "": undefined,
} as const;

function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function outgoing({ byteLength, chunks }: RequestBody): Buffer {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return asBuffer(first);
  if (byteLength <= JOINED_BYTES_MAX) return Buffer.concat(chunks, byteLength);
  // undici takes any iterable of buffers and writes them in turn, which its types do not say.
  return chunks.map(asBuffer) as unknown as Buffer;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function readAnswer(response: Dispatcher.ResponseData): Promise<HttpAnswer> {
  const { body, headers, statusCode } = response;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, RESPONSE_BYTES_MAX - size));
    size += chunk.length;
    // Leaving the loop closes the connection: cheaper than reading whatever else is coming.
    if (size >= RESPONSE_BYTES_MAX) break;
  }
  return {
    httpStatus: statusCode,
    mediaType: headerOf(headers["content-type"]).split(";", 1)[0]?.trim().toLowerCase() ?? "",
    retryAfter: headers["retry-after"] === undefined ? undefined : headerOf(headers["retry-after"]),
    location: headers["location"] === undefined ? undefined : headerOf(headers["location"]),
    body: Buffer.concat(chunks),
  };
}

function headerOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** The Collector does the same: an answer in an encoding it did not ask for says nothing. */
function partialSuccessOf(signal: Signal, answer: HttpAnswer): PartialSuccess | undefined {
  if (answer.mediaType === protobufMediaType) return decodeResponse(signal, answer.body);
  if (answer.mediaType === jsonMediaType) return decodeResponseJson(signal, answer.body);
  return undefined;
}

const keys = {
  withoutTls: "write `http://` in `endpoint`",
  withTls: "write `https://` in `endpoint`",
};

function networkFailure(url: string, cause: unknown, isLate: boolean): RetryableError {
  if (isLate) {
    return new RetryableError("DEADLINE_EXCEEDED", `${url} did not answer in time`, { cause });
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = connectFailure(text, { isTls: url.startsWith("https:"), ...keys });
  return new RetryableError("BACKEND_UNAVAILABLE", `cannot send to ${url}: ${reason}`, { cause });
}
