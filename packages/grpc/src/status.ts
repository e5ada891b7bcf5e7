/** google.rpc.Code by name. */
export const GrpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** A number of google.rpc.Code. */
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

/** google.rpc.Status with the one detail OTLP knows. */
export interface Status {
  /** google.rpc.Code; a number outside 0 to 16 is kept as it came. */
  readonly code: number;
  readonly message: string;
  /** google.rpc.RetryInfo.retry_delay, when the status carries one. Never negative. */
  readonly retryDelayMs?: number | undefined;
}

/** A call that ended with a status other than OK. */
export class GrpcStatusError extends Error {
  override readonly name = "GrpcStatusError";
  readonly status: Status;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message, options);
    this.status = status;
  }
}

/**
 * How the message of UNAVAILABLE begins when no connection could be made; why follows behind it.
 *
 * No server answered: what follows is a fact of the network, of TLS or of name resolution.
 */
export const NO_CONNECTION = "no connection: ";

/** The `@type` of google.rpc.RetryInfo, as JSON and `Any` write it. */
export const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";

/**
 * The longest google.protobuf.Duration, in milliseconds: 10,000 years, by the definition of Duration.
 * A longer or a negative delay is no RetryInfo and is left out.
 */
export const RETRY_DELAY_MS_MAX = 315_576_000_000_000;
