import { Chance } from "./chance.js";
import { Destination } from "./destination.js";
import { GatewayProcess } from "./gateway-process.js";
import { Invariants } from "./invariants.js";
import type { ItemResource, ReceivedItem, SimulatedSignal } from "./items.js";
import { type GatewayPlan, planSchedule, type SchedulePlan } from "./schedule-plan.js";
import {
  type ClientRecords,
  type ClientTarget,
  ConnectionLost,
  SendingClient,
} from "./sending-client.js";
import { SimulatedClock } from "./simulated-clock.js";
import { SimulatedDisk } from "./simulated-disk.js";
import { SimulatedRegistry } from "./simulated-registry.js";

/** Longest time, in the world, that clients may need to be done with everything. */
const CLIENTS_DONE_MS_MAX = 600_000;
/** Longest time in which what was left on disk must have been delivered by a calm gateway. */
const AFTERMATH_MS_MAX = 300_000;
/** The invariants that hold at every moment are checked once in so many events. */
const CHECK_EVERY_EVENTS = 20;
const AFTERMATH_POLL_MS = 100;

/** What came of one schedule. */
export interface ScheduleResult {
  readonly seed: number;
  /** One sentence each; empty when everything held. */
  readonly violations: readonly string[];
  readonly items: number;
  readonly acknowledged: number;
  /** Simulated time it took. */
  readonly durationMs: number;
  readonly plan: SchedulePlan;
}

/** Runs one world from its beginning to its end; the same seed is the same world. */
export async function runSchedule(seed: number): Promise<ScheduleResult> {
  return new Schedule(seed).run();
}

class Schedule implements ClientTarget {
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #plan: SchedulePlan;
  readonly #clock = new SimulatedClock();
  readonly #registry: SimulatedRegistry;
  readonly #disk: SimulatedDisk;
  readonly #destinations: ReadonlyMap<string, Destination>;
  readonly #records: ClientRecords = {
    acknowledged: new Map<number, SimulatedSignal>(),
    resentBlindly: new Set<number>(),
    resources: new Map<number, ItemResource>(),
  };
  readonly #invariants: Invariants;
  #gateway: GatewayPlan;
  #process: GatewayProcess | undefined;
  #lastId = 0;
  #events = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#chance = new Chance(seed);
    this.#plan = planSchedule(this.#chance.split());
    const { containers, diskFull, gateway, registryOutages } = this.#plan;
    this.#gateway = gateway;
    const split = () => this.#chance.split();
    this.#registry = new SimulatedRegistry(this.#clock, split(), containers, registryOutages);
    this.#disk = new SimulatedDisk(this.#clock, split(), diskFull);
    this.#destinations = new Map(
      this.#plan.destinations.map(({ moods, name }) => {
        const onItem = (item: ReceivedItem) => this.#invariants.checkContainer(name, item);
        return [name, new Destination(name, this.#clock, split(), moods, onItem)];
      }),
    );
    this.#invariants = new Invariants(this.#plan, this.#records, this.#registry);
  }

  async run(): Promise<ScheduleResult> {
    let isOver = false;
    let failure: unknown;
    this.#live().then(
      () => {
        isOver = true;
      },
      (error: unknown) => {
        failure = error ?? new Error("rejected without an error");
      },
    );
    const happened = await this.#clock.run(
      () => isOver || failure !== undefined,
      () => this.#afterEvent(),
    );
    if (failure !== undefined) throw failure;
    if (!happened) this.#invariants.violated("everybody waits and nothing will ever happen");
    return {
      seed: this.#seed,
      violations: this.#invariants.violations,
      items: this.#lastId,
      acknowledged: this.#records.acknowledged.size,
      durationMs: this.#clock.nowMs(),
      plan: this.#plan,
    };
  }

  send(signal: SimulatedSignal, bytes: Uint8Array, deadlineMs: number): Promise<void> {
    if (this.#process === undefined) return Promise.reject(new ConnectionLost("nothing runs"));
    return this.#process.send(signal, bytes, deadlineMs);
  }

  async #live(): Promise<void> {
    await this.#startProcess();
    const clients = this.#plan.clients.map((plan) => {
      const { clients: _, resources, signals } = this.#plan;
      const world = { clock: this.#clock, records: this.#records, nextId: () => ++this.#lastId };
      const client = new SendingClient(
        world,
        this.#chance.split(),
        { ...plan, signals },
        resources,
      );
      return client.run(this);
    });
    const done = Promise.all(clients);
    await this.#intervene();
    const limitMs = Math.min(this.#plan.stopMs, CLIENTS_DONE_MS_MAX);
    await Promise.race([done, this.#clock.sleep(Math.max(0, limitMs - this.#clock.nowMs()))]);
    await this.#stopProcess();
    // Whoever still sends finds nobody and gives up.
    await done;
    await this.#deliverWhatIsOnDisk();
    this.#invariants.checkDeliveries(this.#destinations);
  }

  async #intervene(): Promise<void> {
    for (const { atMs, reload } of this.#plan.interventions) {
      if (atMs >= this.#plan.stopMs) return;
      await this.#clock.sleep(Math.max(0, atMs - this.#clock.nowMs()));
      if (reload === undefined) await this.#crash();
      else await this.#reload(reload);
    }
  }

  async #crash(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process !== undefined) this.#invariants.noteCrash(process.accounting());
    process?.kill();
    await this.#clock.sleep(this.#chance.between(1, 2_000));
    await this.#startProcess();
  }

  /** Sometimes nobody waits for a reload: the next thing happens while it is under way. */
  async #reload(gateway: GatewayPlan): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    if (!gateway.isBroken) this.#gateway = gateway;
    const outcome = process.reload(gateway, this.#plan.shutdownTimeoutMs);
    const checked = outcome.then((result) => {
      const wanted = gateway.isBroken ? ["rolled_back"] : ["applied", "unchanged"];
      if (["superseded", "stopped", ...wanted].includes(result.outcome)) return;
      this.#invariants.violated(`a reload came to ${JSON.stringify(result)}`);
    });
    if (this.#chance.happens(0.7)) await checked;
  }

  async #startProcess(): Promise<void> {
    const around = { destinations: this.#destinations, registry: this.#registry, disk: this.#disk };
    const process = await GatewayProcess.create(
      this.#gateway,
      this.#clock,
      around,
      this.#chance.split(),
    );
    await process.start();
    this.#process = process;
  }

  async #stopProcess(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    const startMs = this.#clock.nowMs();
    await process.shutdown(startMs + this.#plan.shutdownTimeoutMs);
    this.#invariants.checkStop(process.accounting(), this.#clock.nowMs() - startMs);
    this.#invariants.checkNoBugs(process.meter);
    this.#process = undefined;
  }

  /** A new process in a world without faults must deliver everything that is left. */
  async #deliverWhatIsOnDisk(): Promise<void> {
    if (this.#disk.itemCount === 0) return;
    this.#disk.heal();
    for (const destination of this.#destinations.values()) destination.heal();
    await this.#startProcess();
    const limitMs = this.#clock.nowMs() + AFTERMATH_MS_MAX;
    while (this.#disk.itemCount > 0 && this.#clock.nowMs() < limitMs) {
      await this.#clock.sleep(AFTERMATH_POLL_MS);
    }
    if (this.#disk.itemCount > 0) {
      this.#invariants.violated(`${this.#disk.itemCount} items stay on disk for ever`);
    }
    await this.#stopProcess();
  }

  #afterEvent(): void {
    this.#events++;
    const process = this.#process;
    if (process === undefined || this.#events % CHECK_EVERY_EVENTS !== 0) return;
    this.#invariants.checkMoment(process.accounting(), process.meter);
  }
}
