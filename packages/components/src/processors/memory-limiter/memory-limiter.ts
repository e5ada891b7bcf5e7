import type {
  Batch,
  ComponentSettings,
  Consumer,
  Counter,
  PermanentError,
  Processor,
  RetryableError,
} from "@inode-gateway/contract";
import type { MemoryGuard, RefusalListener } from "../../memory-limit/memory-guard.js";
import { refusedRequests } from "../../memory-limit/metrics.js";
import { stateListener } from "../../memory-limit/state-listener.js";
import { itemMetrics } from "./metrics.js";

/** Refuses everything while memory is above its soft limit, before a request is read if asked so. */
export class MemoryLimiter implements Processor {
  readonly #guard: MemoryGuard;
  readonly #next: Consumer;
  readonly #accepted: Counter;
  readonly #refused: Counter;
  readonly #refusedRequests: Counter;
  readonly #listener: RefusalListener;

  constructor(settings: ComponentSettings, guard: MemoryGuard, next: Consumer) {
    const { id, kind, meter, signal } = settings;
    const names = itemMetrics[signal ?? "traces"];
    this.#guard = guard;
    this.#next = next;
    this.#accepted = meter.counter(names.accepted, { processor: id });
    this.#refused = meter.counter(names.refused, { processor: id });
    this.#refusedRequests = meter.counter(refusedRequests, {
      component_kind: kind,
      component_id: id,
    });
    this.#listener = stateListener(settings);
  }

  start(): Promise<void> {
    return this.#guard.join(this.#listener);
  }

  shutdown(): Promise<void> {
    this.#guard.leave(this.#listener);
    return Promise.resolve();
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    const refusal = this.#guard.lookAgain();
    if (refusal === undefined) return this.#next.refusal?.(batch);
    if (batch === undefined) this.#refusedRequests.add(1);
    else this.#refused.add(batch.itemCount);
    return refusal;
  }

  /** Does not look by itself: what `refusal` let in moments ago must not be refused here. */
  consume(batch: Batch): Promise<void> {
    const refusal = this.#guard.refusal();
    if (refusal !== undefined) {
      this.#refused.add(batch.itemCount);
      return Promise.reject(refusal);
    }
    this.#accepted.add(batch.itemCount);
    return this.#next.consume(batch);
  }
}
