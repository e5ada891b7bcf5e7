import { PermanentError, RetryableError } from "@inode-gateway/contract";

/** Why one branch of a fan-out did not take a batch. */
export interface BranchFailure<Reason = unknown> {
  /** Such as `exporter "nop"`. */
  readonly branch: string;
  readonly error: Reason;
}

/**
 * The one error that several branches answer with, whatever their order in time.
 *
 * Retryable when any branch is, with the longest of their waits; else a bug of ours when there is one;
 * else permanent. Code and backend status are those of the first branch of the winning sort; a
 * single failure is passed on as it is.
 *
 * @param failures at least one, in the order of the branches
 */
export function combineErrors(failures: readonly BranchFailure[]): unknown {
  const errors = failures.map(({ error }) => error);
  if (errors.length === 1) return errors[0];
  const message = failures.map(describe).join("; ");
  const cause = new AggregateError(errors, message);
  const retryable = errors.filter((error) => error instanceof RetryableError);
  const [firstRetryable] = retryable;
  if (firstRetryable !== undefined) {
    const waits = retryable.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
    return new RetryableError(firstRetryable.code, message, {
      cause,
      ...(waits.length > 0 && { retryAfterMs: Math.max(...waits) }),
      ...(firstRetryable.backendStatus && { backendStatus: firstRetryable.backendStatus }),
    });
  }
  const bug = errors.find((error) => !(error instanceof PermanentError));
  if (bug !== undefined) return bug;
  const firstPermanent = errors.find((error) => error instanceof PermanentError);
  if (firstPermanent === undefined) return cause;
  return new PermanentError(firstPermanent.code, message, {
    cause,
    ...(firstPermanent.backendStatus && { backendStatus: firstPermanent.backendStatus }),
  });
}

/** {@link combineErrors} for branches that refuse beforehand, which no bug of ours can do. */
export function combineDeliveryErrors(
  failures: readonly BranchFailure<PermanentError | RetryableError>[],
): PermanentError | RetryableError {
  return combineErrors(failures) as PermanentError | RetryableError;
}

function describe({ branch, error }: BranchFailure): string {
  return `${branch}: ${error instanceof Error ? error.message : String(error)}`;
}
