import { type Batch, RetryableError } from "@inode-gateway/contract";
import type { Destination } from "./destination.js";
import type { ProcessClock } from "./simulated-clock.js";

/** The wire between an exporter and its destination; closing it cuts off what is still under way. */
export class SimulatedSender {
  readonly #destination: Destination;
  readonly #clock: ProcessClock;
  readonly #cutOffs = new Set<(error: Error) => void>();
  #whenIdle: (() => void) | undefined;

  constructor(destination: Destination, clock: ProcessClock) {
    this.#destination = destination;
    this.#clock = clock;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async send(batch: Batch, deadlineMs: number) {
    const { promise: closed, reject: cutOff } = rejectable();
    this.#cutOffs.add(cutOff);
    try {
      const answered = this.#destination.request(batch, deadlineMs, this.#clock);
      const rejectedItems = await Promise.race([answered, closed]);
      return rejectedItems === 0 ? undefined : { rejectedItems, errorMessage: "poisoned" };
    } finally {
      this.#cutOffs.delete(cutOff);
      if (this.#cutOffs.size === 0) this.#whenIdle?.();
    }
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.#cutOffs.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      await Promise.race([idle, this.#clock.sleep(deadlineMs - this.#clock.nowMs())]);
    }
    const error = new RetryableError("BACKEND_UNAVAILABLE", "the connection was closed");
    for (const cutOff of this.#cutOffs) cutOff(error);
  }
}

function rejectable() {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_resolve, rejectPromise) => {
    reject = rejectPromise;
  });
  return { promise, reject };
}
