import {
  type Batch,
  type Connector,
  type ConnectorOutputs,
  type Consumer,
  PermanentError,
  RetryableError,
} from "@inode-gateway/contract";

/**
 * Gives every batch to all pipelines behind it at the same time and waits for all of them.
 *
 * Nothing is kept: its answer is theirs. Bytes are shared, since nobody may modify a batch.
 */
export class ForwardConnector implements Connector {
  readonly #outputs: readonly (readonly [pipeline: string, consumer: Consumer])[];

  constructor(outputs: ConnectorOutputs) {
    this.#outputs = [...outputs];
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** The first pipeline that would refuse decides: none of them then gets the batch. */
  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    for (const [, consumer] of this.#outputs) {
      const refusal = consumer.refusal?.(batch);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  consume(batch: Batch): Promise<void> {
    const [only] = this.#outputs;
    if (only !== undefined && this.#outputs.length === 1) return only[1].consume(batch);
    return this.#consumeAll(batch);
  }

  async #consumeAll(batch: Batch): Promise<void> {
    const refusal = this.refusal(batch);
    if (refusal !== undefined) throw refusal;
    const answers = await Promise.allSettled(
      this.#outputs.map(async ([, consumer]) => consumer.consume(batch)),
    );
    const failures: Failure[] = [];
    for (const [index, answer] of answers.entries()) {
      if (answer.status === "fulfilled") continue;
      failures.push({ pipeline: this.#outputs[index]?.[0] ?? "", error: answer.reason });
    }
    if (failures.length > 0) throw combined(failures);
  }
}

interface Failure {
  readonly pipeline: string;
  readonly error: unknown;
}

/**
 * One error for all: retryable when any is, with the longest wait; else a bug of ours when there is one;
 * else permanent. What it does not depend on is which pipeline was faster.
 */
function combined(failures: readonly Failure[]): unknown {
  const errors = failures.map(({ error }) => error);
  if (errors.length === 1) return errors[0];
  const message = failures
    .map(({ error, pipeline }) => `pipeline ${JSON.stringify(pipeline)}: ${messageOf(error)}`)
    .join("; ");
  const cause = new AggregateError(errors, message);
  const retryable = errors.filter((error) => error instanceof RetryableError);
  const bug = errors.find(
    (error) => !(error instanceof PermanentError || error instanceof RetryableError),
  );
  const first = retryable[0] ?? bug ?? errors[0];
  if (!(first instanceof RetryableError || first instanceof PermanentError)) return first;
  const options = { cause, ...(first.backendStatus && { backendStatus: first.backendStatus }) };
  if (first instanceof PermanentError) return new PermanentError(first.code, message, options);
  const waits = retryable.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  const retryAfterMs = waits.length > 0 ? Math.max(...waits) : undefined;
  return new RetryableError(first.code, message, { ...options, retryAfterMs });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
