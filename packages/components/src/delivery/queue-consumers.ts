import { type ComponentSettings, isDeliveryError, type Timer } from "@inode-gateway/contract";
import type { DeliveryStep } from "./delivery-step.js";
import type { Outcome } from "./outcome.js";
import { deadlineOf, failedWhole, type QueueJob } from "./queue-entry.js";
import type { QueueInstruments } from "./queue-instruments.js";

/** Whose jobs are delivered. */
export interface JobOwner {
  /** The job that is next; undefined when none is ready. */
  nextJob(): QueueJob | undefined;
  /** When one will be ready that is not yet, as far as time decides it; `Infinity` when it does not. */
  dueMs(): number;
  /** A job has ended; called before another one begins. */
  conclude(job: QueueJob, outcome: Outcome): void;
  /** Others have begun as far as there were any. */
  onConcluded(): void;
}

/** Delivers the jobs of a queue, a fixed number at the same time. */
export class QueueConsumers {
  readonly #settings: ComponentSettings;
  readonly #runningMax: number;
  readonly #next: DeliveryStep<Outcome>;
  readonly #instruments: QueueInstruments;
  readonly #owner: JobOwner;
  #running = 0;
  #isOn = false;
  #timer: Timer | undefined;

  constructor(
    settings: ComponentSettings,
    runningMax: number,
    next: DeliveryStep<Outcome>,
    instruments: QueueInstruments,
    owner: JobOwner,
  ) {
    this.#settings = settings;
    this.#runningMax = runningMax;
    this.#next = next;
    this.#instruments = instruments;
    this.#owner = owner;
  }

  /** Deliveries under way. */
  get running(): number {
    return this.#running;
  }

  /** From now on jobs are begun. */
  begin(): void {
    this.#isOn = true;
    this.dispatch();
  }

  /** Nothing is begun any more; what is under way goes on. */
  end(): void {
    this.#isOn = false;
    this.#timer?.cancel();
  }

  /** Begins what is ready and there is somebody for; to be called whenever something may be. */
  dispatch(): void {
    if (!this.#isOn) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#running < this.#runningMax) {
      const job = this.#owner.nextJob();
      if (job === undefined) {
        this.#dispatchLater();
        return;
      }
      this.#running++;
      this.#instruments.sendSize.record(job.batch.itemCount);
      this.#instruments.sendBytes.record(job.batch.byteLength);
      this.#settings.runInBackground("deliver a queued batch", this.#run(job));
    }
  }

  #dispatchLater(): void {
    const dueMs = this.#owner.dueMs();
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#settings;
    this.#timer = clock.setTimer(Math.max(0, dueMs - clock.nowMs()), () => {
      this.#timer = undefined;
      this.dispatch();
    });
  }

  async #run(job: QueueJob): Promise<void> {
    let bug: unknown;
    let outcome: Outcome;
    try {
      outcome = await this.#next.deliver(job.batch, deadlineOf(job));
    } catch (error) {
      bug = error ?? new Error("rejected without an error");
      outcome = failedWhole(job, bug);
    }
    this.#running--;
    this.#owner.conclude(job, outcome);
    this.dispatch();
    this.#owner.onConcluded();
    // A bug was accounted for like any loss; now the process hears of it too.
    const isHeard = job.entries.some(({ settle }) => settle !== undefined);
    if (bug !== undefined && !isHeard && !isDeliveryError(bug)) throw bug;
  }
}
