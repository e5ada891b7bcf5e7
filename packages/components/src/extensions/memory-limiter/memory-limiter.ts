import type { ComponentSettings, Counter, RetryableError } from "@inode-gateway/contract";
import type { RequestGate } from "../../capabilities/request-gate.js";
import type { MemoryGuard, RefusalListener } from "../../memory-limit/memory-guard.js";
import { refusedRequests } from "../../memory-limit/metrics.js";
import { stateListener } from "../../memory-limit/state-listener.js";

/** Lets receivers refuse requests before they read them, while memory is above its soft limit. */
export class MemoryLimiterExtension implements RequestGate {
  readonly #guard: MemoryGuard;
  readonly #refused: Counter;
  readonly #listener: RefusalListener;

  constructor(settings: ComponentSettings, guard: MemoryGuard) {
    const { id, kind, meter } = settings;
    this.#guard = guard;
    this.#refused = meter.counter(refusedRequests, { component_kind: kind, component_id: id });
    this.#listener = stateListener(settings);
  }

  start(): Promise<void> {
    return this.#guard.join(this.#listener);
  }

  shutdown(): Promise<void> {
    this.#guard.leave(this.#listener);
    return Promise.resolve();
  }

  requestRefusal(): RetryableError | undefined {
    const refusal = this.#guard.lookAgain();
    if (refusal !== undefined) this.#refused.add(1);
    return refusal;
  }
}
