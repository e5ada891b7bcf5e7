/** Codes of a {@link PermanentError}; each is catalogued in docs/errors.md. */
export type PermanentErrorCode =
  /** The sender's bytes are not what they claim to be. */
  | "BATCH_MALFORMED"
  /** One item alone is larger than what the destination takes. */
  | "BATCH_TOO_LARGE"
  /** The destination refused the batch for good. */
  | "BACKEND_REJECTED";

/** Codes of a {@link RetryableError}; each is catalogued in docs/errors.md. */
export type RetryableErrorCode =
  /** A queue of ours is full. */
  | "QUEUE_FULL"
  /** The process is close to its memory limit. */
  | "MEMORY_LIMITED"
  /** What was to be acknowledged could not be written to disk. */
  | "STORAGE_FAILED"
  /** The destination could not be reached or asked us to come back later. */
  | "BACKEND_UNAVAILABLE"
  /** The time the sender gave us, or an exporter's `timeout`, ran out. */
  | "DEADLINE_EXCEEDED"
  /** The component is stopping and takes nothing new. */
  | "SHUTTING_DOWN";

/** The status a destination answered with; passed on to the sender unchanged. */
export interface BackendStatus {
  /** google.rpc.Code, 0 to 16. */
  readonly grpcCode: number;
  readonly message: string;
  /** Status of the HTTP answer, when the destination spoke HTTP. */
  readonly httpStatus?: number;
}

/** Further facts about a delivery that failed. */
export interface DeliveryErrorOptions extends ErrorOptions {
  readonly backendStatus?: BackendStatus;
}

/** The same batch would fail again however often it is sent: nobody retries it. */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
  readonly code: PermanentErrorCode;
  readonly backendStatus: BackendStatus | undefined;

  constructor(code: PermanentErrorCode, message: string, options?: DeliveryErrorOptions) {
    super(message, options);
    this.code = code;
    this.backendStatus = options?.backendStatus;
  }
}

/** The same batch may succeed later: the sender, or a queue before the exporter, tries again. */
export class RetryableError extends Error {
  override readonly name = "RetryableError";
  readonly code: RetryableErrorCode;
  readonly backendStatus: BackendStatus | undefined;
  /** How long to wait before the next try; undefined when nobody knows. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: RetryableErrorCode,
    message: string,
    options?: DeliveryErrorOptions & { readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.backendStatus = options?.backendStatus;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Whether an error is one of the two that a consumer may reject with; anything else is a bug of ours. */
export function isDeliveryError(error: unknown): error is PermanentError | RetryableError {
  return error instanceof PermanentError || error instanceof RetryableError;
}
