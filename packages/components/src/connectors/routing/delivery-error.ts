import { PermanentError, RetryableError } from "@inode-gateway/contract";

/** Why one pipeline did not take its part. */
export interface PipelineFailure {
  readonly pipeline: string;
  readonly error: unknown;
}

/**
 * The one error for the sender: retryable when any is, with the longest wait; else a bug of ours when
 * there is one; else permanent.
 */
export function deliveryError(failures: readonly PipelineFailure[]): unknown {
  const errors = failures.map(({ error }) => error);
  const bug = errors.find(
    (error) => !(error instanceof PermanentError || error instanceof RetryableError),
  );
  const retryable = errors.filter((error) => error instanceof RetryableError);
  const first = retryable[0] ?? bug ?? errors[0];
  if (errors.length === 1) return first;
  const message = failures
    .map(({ error, pipeline }) => {
      const text = error instanceof Error ? error.message : String(error);
      return `pipeline ${JSON.stringify(pipeline)}: ${text}`;
    })
    .join("; ");
  const cause = new AggregateError(errors, message);
  if (first instanceof PermanentError) return new PermanentError(first.code, message, { cause });
  if (!(first instanceof RetryableError)) return first;
  const waits = retryable.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  const retryAfterMs = waits.length > 0 ? Math.max(...waits) : undefined;
  return new RetryableError(first.code, message, { cause, retryAfterMs });
}
