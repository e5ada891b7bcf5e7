import { type BackendStatus, PermanentError, RetryableError } from "@inode-gateway/contract";
import { GrpcCode, type Status } from "@inode-gateway/grpc";

/** What a sender is told about a batch that was not taken, for both transports. */
export interface FailureAnswer {
  /** The gRPC answer; also the body of the HTTP answer. */
  readonly status: Status;
  readonly httpStatus: number;
  /** Value of `Retry-After`, whole seconds, at least 1; undefined sends no such header. */
  readonly retryAfterSeconds: number | undefined;
  /** True when the error is neither Permanent nor Retryable: a bug of ours. */
  readonly isBug: boolean;
  /** Value of `WWW-Authenticate` (RFC 9110, section 11.6.1); of a sender who was not let in only. */
  readonly challenge?: string | undefined;
}

/** How long senders wait after an overload answer when nobody knows better. */
const DEFAULT_RETRY_AFTER_MS = 1000;

/**
 * Maps whatever a pipeline threw to the answer of gRPC and of HTTP: the only place that does.
 *
 * What a destination answered (`backendStatus`) is passed on as the Collector does, with one
 * exception: an error that may be retried never becomes an answer that OTLP clients take for final.
 * A bug gets no details: they are for our log, not for the sender.
 */
export function answerFor(error: unknown): FailureAnswer {
  if (error instanceof PermanentError) return permanentAnswer(error);
  if (error instanceof RetryableError) return retryableAnswer(error);
  const status = { code: GrpcCode.INTERNAL, message: "internal error, see the gateway's log" };
  return { status, httpStatus: 500, retryAfterSeconds: undefined, isBug: true };
}

/** The answer to whom an authenticator did not let in; `challenge` says what to show instead. */
export function unauthenticatedAnswer(
  message: string,
  challenge: string | undefined,
): FailureAnswer {
  const status = { code: GrpcCode.UNAUTHENTICATED, message };
  const httpStatus = httpStatusOf(status.code);
  return { status, httpStatus, retryAfterSeconds: undefined, isBug: false, challenge };
}

function permanentAnswer(error: PermanentError): FailureAnswer {
  const isTooLarge = error.code === "BATCH_TOO_LARGE";
  const passed = isTooLarge ? undefined : passedCode(error.backendStatus);
  const code = passed ?? permanentCodes[error.code];
  const httpStatus = isTooLarge ? 413 : httpStatusOf(code);
  const status = { code, message: messageOf(error) };
  return { status, httpStatus, retryAfterSeconds: undefined, isBug: false };
}

function retryableAnswer(error: RetryableError): FailureAnswer {
  const backend = error.backendStatus;
  // A 429 from an HTTP backend is RESOURCE_EXHAUSTED in the Collector, which every gRPC client
  // takes for final unless RetryInfo comes with it: the data would be lost.
  const isThrottled =
    backend?.httpStatus === 429 || backend?.grpcCode === GrpcCode.RESOURCE_EXHAUSTED;
  const isOverload = isThrottled || overloadCodes.has(error.code);
  const delayMs = error.retryAfterMs ?? (isOverload ? DEFAULT_RETRY_AFTER_MS : undefined);
  const retryDelayMs = delayMs === undefined ? undefined : Math.max(delayMs, 0);
  const passed = passedCode(backend);
  const httpStatus = isThrottled ? 429 : 503;
  const mayPass =
    passed !== undefined &&
    (isRetryableCode(passed) || (isThrottled && backend?.httpStatus === undefined));
  const code = mayPass ? passed : GrpcCode.UNAVAILABLE;
  return {
    status: { code, message: messageOf(error), retryDelayMs },
    httpStatus,
    retryAfterSeconds: retryDelayMs === undefined ? undefined : wholeSeconds(retryDelayMs),
    isBug: false,
  };
}

/** What the destination said, in its own words, when it said something. */
function messageOf(error: PermanentError | RetryableError): string {
  const said = error.backendStatus?.message ?? "";
  return said === "" ? error.message : said;
}

/** `Retry-After` takes whole seconds; rounding down would tell the sender to come too early. */
function wholeSeconds(delayMs: number): number {
  return Math.max(1, Math.ceil(delayMs / 1000));
}

function passedCode(backend: BackendStatus | undefined): number | undefined {
  if (backend === undefined) return undefined;
  const { grpcCode } = backend;
  return grpcCode >= GrpcCode.CANCELLED && grpcCode <= GrpcCode.UNAUTHENTICATED
    ? grpcCode
    : GrpcCode.UNKNOWN;
}

const permanentCodes = {
  BATCH_MALFORMED: GrpcCode.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: GrpcCode.RESOURCE_EXHAUSTED,
  BACKEND_REJECTED: GrpcCode.INTERNAL,
} as const;

const overloadCodes: ReadonlySet<string> = new Set([
  "QUEUE_FULL",
  "MEMORY_LIMITED",
  "STORAGE_FAILED",
  "SHUTTING_DOWN",
]);

/**
 * Whether OTLP lets a client retry after this gRPC code. RESOURCE_EXHAUSTED is not among them: it
 * may be retried only when RetryInfo comes with it.
 */
export function isRetryableCode(code: number): boolean {
  return retryableCodes.has(code);
}

const retryableCodes: ReadonlySet<number> = new Set([
  GrpcCode.CANCELLED,
  GrpcCode.DEADLINE_EXCEEDED,
  GrpcCode.ABORTED,
  GrpcCode.OUT_OF_RANGE,
  GrpcCode.UNAVAILABLE,
  GrpcCode.DATA_LOSS,
]);

/** The HTTP status of a gRPC code, as the Collector's otlp receiver maps them; 500 for all others. */
function httpStatusOf(code: number): number {
  return retryableCodes.has(code) ? 503 : (httpStatuses.get(code) ?? 500);
}

const httpStatuses: ReadonlyMap<number, number> = new Map([
  [GrpcCode.RESOURCE_EXHAUSTED, 429],
  [GrpcCode.INVALID_ARGUMENT, 400],
  [GrpcCode.UNAUTHENTICATED, 401],
  [GrpcCode.PERMISSION_DENIED, 403],
  [GrpcCode.UNIMPLEMENTED, 404],
]);

/** The gRPC code of an HTTP backend's status, as the Collector maps them; UNKNOWN for all others. */
export function grpcCodeOf(httpStatus: number): number {
  return grpcCodes.get(httpStatus) ?? GrpcCode.UNKNOWN;
}

const grpcCodes: ReadonlyMap<number, number> = new Map([
  [400, GrpcCode.INVALID_ARGUMENT],
  [401, GrpcCode.UNAUTHENTICATED],
  [403, GrpcCode.PERMISSION_DENIED],
  [404, GrpcCode.UNIMPLEMENTED],
  [429, GrpcCode.RESOURCE_EXHAUSTED],
  [502, GrpcCode.UNAVAILABLE],
  [503, GrpcCode.UNAVAILABLE],
  [504, GrpcCode.UNAVAILABLE],
]);
