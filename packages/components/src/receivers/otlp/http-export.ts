import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { ComponentSettings, Signal } from "@inode-gateway/contract";
import { JsonMappingError, jsonToProtobuf } from "@inode-gateway/otlp";
import type { RequestHeaders } from "../../capabilities/authenticator.js";
import type { FailureAnswer } from "../../transport/status-mapping.js";
import { BodyError } from "./body-error.js";
import { codingsByName } from "./content-coding.js";
import { type BodyLimits, type BodySource, checkDeclaredBytes, readBody } from "./http-body.js";
import type { HttpConfig } from "./http-config.js";
import {
  codingOf,
  declaredBytesOf,
  type Encoding,
  encodingOf,
  metadataOf,
  peerOf,
} from "./http-headers.js";
import { failureReply, type HttpReply, requestErrorReply, successReply } from "./http-reply.js";
import type { Intake } from "./intake.js";

/** What one export request needs to show of itself; Node's request of either HTTP version does. */
export interface ExportRequest extends BodySource {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string | undefined;
  readonly socket: Pick<Socket, "remoteAddress" | "remotePort">;
}

const noMetadata: ReadonlyMap<string, readonly string[]> = new Map();

/** What is known of a sender who was let in. */
interface Sender {
  readonly auth: ReadonlyMap<string, string> | undefined;
}

const anonymous: Sender = { auth: undefined };

/** Turns one OTLP/HTTP request into a call of the intake, and its outcome into a reply. */
export class HttpExport {
  readonly #settings: ComponentSettings;
  readonly #intake: Intake;
  readonly #includeMetadata: boolean;
  /** Who sends over a unix socket: all who may open it. */
  readonly #unixPeer: string | undefined;
  readonly #requestParams: readonly string[];
  readonly #acceptedCodings: ReadonlySet<string>;
  readonly #limits: BodyLimits;

  constructor(settings: ComponentSettings, config: HttpConfig, intake: Intake) {
    this.#settings = settings;
    this.#intake = intake;
    this.#includeMetadata = config.include_metadata;
    this.#unixPeer = config.transport === "unix" ? `unix:${config.endpoint}` : undefined;
    this.#requestParams = config.auth?.request_params ?? [];
    this.#acceptedCodings = new Set(config.compression_algorithms ?? codingsByName.keys());
    this.#limits = {
      maxBytes: config.max_request_body_size,
      inFlight: intake.inFlight,
      readTimeoutMs: config.read_timeout,
      clock: settings.clock,
    };
  }

  /**
   * Resolves with undefined when the sender has gone and nobody reads a reply.
   *
   * @param beforeReading called once everything but the body has been found to be right
   */
  async handle(
    signal: Signal,
    request: ExportRequest,
    beforeReading: () => void,
  ): Promise<HttpReply | undefined> {
    const { headers } = request;
    const encoding = encodingOf(headers["content-type"]);
    const entry = await this.#enter(signal, request);
    if ("failure" in entry) return failureReply(entry.failure, encoding);
    const coding = codingOf(headers["content-encoding"], this.#acceptedCodings);
    if (coding === undefined) {
      this.#intake.counters.rejected("unsupported");
      const message = `unsupported Content-Encoding: ${headers["content-encoding"] ?? "none"}`;
      return requestErrorReply(400, message, encoding);
    }
    if (encoding === undefined) {
      this.#intake.counters.rejected("unsupported");
      return requestErrorReply(415, unsupportedType(headers["content-type"]), undefined);
    }
    let body: Uint8Array;
    try {
      const declaredBytes = declaredBytesOf(headers);
      if (declaredBytes !== undefined) checkDeclaredBytes(declaredBytes, this.#limits);
      beforeReading();
      body = await readBody(request, coding, this.#limits);
    } catch (error) {
      return this.#bodyFailed(error, encoding);
    }
    try {
      const failure = await this.#accept(signal, request, body, encoding, entry.auth);
      return failure === undefined
        ? successReply(signal, encoding)
        : failureReply(failure, encoding);
    } finally {
      this.#intake.inFlight.giveBack(body.byteLength);
    }
  }

  /** Decides before anything of the body is read. */
  async #enter(
    signal: Signal,
    request: ExportRequest,
  ): Promise<Sender | { readonly failure: FailureAnswer }> {
    const { admission } = this.#intake;
    if (admission.asksWho) {
      const sender = await admission.authenticate(this.#credentialsOf(request));
      if ("failure" in sender) return sender;
      const failure = admission.refusal(signal);
      return failure === undefined ? sender : { failure };
    }
    const failure = admission.refusal(signal);
    return failure === undefined ? anonymous : { failure };
  }

  /** Headers, and the parameters of the query that stand for some. */
  #credentialsOf({ headers, url }: ExportRequest): RequestHeaders {
    const metadata = metadataOf(headers);
    if (this.#requestParams.length === 0) return metadata;
    const credentials = new Map(metadata);
    const query = new URLSearchParams(url?.split("?", 2)[1] ?? "");
    for (const name of this.#requestParams) {
      const values = query.getAll(name);
      if (values.length > 0) credentials.set(name.toLowerCase(), values);
    }
    return credentials;
  }

  async #accept(
    signal: Signal,
    request: ExportRequest,
    body: Uint8Array,
    encoding: Encoding,
    auth: Sender["auth"],
  ): Promise<FailureAnswer | undefined> {
    const origin = {
      peer: this.#unixPeer ?? peerOf(request.socket),
      receivedAtMs: this.#settings.clock.nowMs(),
      deadlineMs: Number.POSITIVE_INFINITY,
      metadata: this.#includeMetadata ? metadataOf(request.headers) : noMetadata,
      auth,
    };
    if (encoding === "protobuf") return this.#intake.accept(signal, body, origin, false);
    let protobuf: Uint8Array;
    try {
      protobuf = jsonToProtobuf(signal, body);
    } catch (error) {
      if (error instanceof JsonMappingError) {
        return this.#intake.rejectMalformed(error.message, error);
      }
      return this.#intake.reportBug("jsonToProtobuf", error);
    }
    return this.#intake.accept(signal, protobuf, origin, true);
  }

  #bodyFailed(error: unknown, encoding: Encoding): HttpReply | undefined {
    if (!(error instanceof BodyError)) {
      return failureReply(this.#intake.reportBug("readBody", error), encoding);
    }
    switch (error.failure) {
      case "malformed":
        return failureReply(this.#intake.rejectMalformed(error.message, error), encoding);
      case "too_large":
        return failureReply(this.#intake.rejectTooLarge(error.message), encoding);
      case "in_flight_limit":
        return failureReply(this.#intake.rejectInFlight(error.bytes), encoding);
      case "timeout":
        this.#intake.counters.rejected("timeout");
        return requestErrorReply(408, error.message, encoding);
      case "aborted":
        return undefined;
    }
  }
}

function unsupportedType(contentType: string | undefined): string {
  const given = contentType === undefined ? "no Content-Type" : `Content-Type "${contentType}"`;
  return `${given} is not supported, use application/x-protobuf or application/json`;
}
