import type { Batch, Consumer, Tracer } from "@inode-gateway/contract";

/** The way from a receiver into its pipelines, with a span for each request that is followed. */
export function traced(target: Consumer, receiverId: string, tracer: Tracer | undefined): Consumer {
  return tracer === undefined ? target : new TracedConsumer(target, receiverId, tracer);
}

class TracedConsumer implements Consumer {
  readonly #target: Consumer;
  readonly #receiverId: string;
  readonly #tracer: Tracer;

  constructor(target: Consumer, receiverId: string, tracer: Tracer) {
    this.#target = target;
    this.#receiverId = receiverId;
    this.#tracer = tracer;
  }

  refusal(batch?: Batch): ReturnType<NonNullable<Consumer["refusal"]>> {
    return this.#target.refusal?.(batch);
  }

  async consume(batch: Batch): Promise<void> {
    const end = this.#tracer.received(this.#receiverId, batch);
    if (end === undefined) {
      await this.#target.consume(batch);
      return;
    }
    try {
      await this.#target.consume(batch);
      end();
    } catch (error) {
      end(error);
      throw error;
    }
  }
}
