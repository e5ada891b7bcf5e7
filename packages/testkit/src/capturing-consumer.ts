import type { Batch, Component, Consumer } from "@inode-gateway/contract";

/** Decides what becomes of one batch: resolve to take it, reject to refuse it. */
export type Respond = (batch: Batch) => Promise<void> | void;

/** Keeps every batch it accepted, in the order of acceptance. */
export class CapturingConsumer implements Consumer {
  /** Accepted batches. */
  readonly batches: Batch[] = [];
  /** Every call, accepted or not, in order. */
  readonly offered: Batch[] = [];
  /** What the next calls answer; replace it to refuse or to wait. Accepts everything at first. */
  respond: Respond = () => undefined;

  constructor(respond?: Respond) {
    if (respond !== undefined) this.respond = respond;
  }

  async consume(batch: Batch): Promise<void> {
    this.offered.push(batch);
    await this.respond(batch);
    this.batches.push(batch);
  }

  /** Items of all accepted batches. */
  get itemCount(): number {
    return this.batches.reduce((sum, batch) => sum + batch.itemCount, 0);
  }
}

/** A capturing consumer with a life: stands for an exporter. */
export class CapturingExporter extends CapturingConsumer implements Component {
  /** `start` and `shutdown`, as they were called. */
  readonly calls: ("start" | "shutdown")[] = [];

  start(): Promise<void> {
    this.calls.push("start");
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.calls.push("shutdown");
    return Promise.resolve();
  }
}
