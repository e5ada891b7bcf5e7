import { Chance } from "./chance.js";
import { ClientRecords } from "./client-records.js";
import { checkDeliveries } from "./delivery-checks.js";
import { Destination } from "./destination.js";
import { ExplainedLosses } from "./explained-losses.js";
import { GatewayHistory } from "./gateway-history.js";
import { GatewayProcess } from "./gateway-process.js";
import { Invariants } from "./invariants.js";
import type { GatewayPlan } from "./plan-gateway.js";
import { planSchedule, type SchedulePlan } from "./schedule-plan.js";
import {
  type ClientTarget,
  ConnectionLost,
  SendingClient,
  type SentRequest,
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
  readonly #records = new ClientRecords();
  readonly #history: GatewayHistory;
  readonly #explained: ExplainedLosses;
  readonly #invariants: Invariants;
  #process: GatewayProcess | undefined;
  #events = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#chance = new Chance(seed);
    this.#plan = planSchedule(this.#chance.split());
    const { containers, diskFull, diskSlow, gateway, registryOutages } = this.#plan;
    this.#history = new GatewayHistory(gateway);
    this.#explained = new ExplainedLosses(this.#plan);
    const split = () => this.#chance.split();
    this.#registry = new SimulatedRegistry(this.#clock, split(), containers, registryOutages);
    this.#disk = new SimulatedDisk(this.#clock, split(), { full: diskFull, slow: diskSlow });
    this.#invariants = new Invariants(this.#plan, this.#records, this.#registry);
    this.#destinations = new Map(
      this.#plan.destinations.map(({ moods, name }) => {
        const destination = new Destination(name, this.#clock, split(), moods, (items, origin) =>
          this.#invariants.checkReceived(name, items, origin.metadata),
        );
        return [name, destination];
      }),
    );
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
      items: this.#records.itemCount,
      acknowledged: this.#records.acknowledgedCount,
      durationMs: this.#clock.nowMs(),
      plan: this.#plan,
    };
  }

  send(request: SentRequest): Promise<void> {
    if (this.#process === undefined) return Promise.reject(new ConnectionLost("nothing runs"));
    return this.#process.send(request);
  }

  async #live(): Promise<void> {
    await this.#startProcess(this.#plan.gateway);
    const { resources, signals } = this.#plan;
    const clients = this.#plan.clients.map((plan, number) => {
      const world = { clock: this.#clock, records: this.#records, number };
      const whose = { ...plan, signals };
      return new SendingClient(world, this.#chance.split(), whose, resources).run(this);
    });
    const done = Promise.all(clients);
    await this.#intervene();
    const limitMs = Math.min(this.#plan.stopMs, CLIENTS_DONE_MS_MAX);
    await Promise.race([done, this.#clock.sleep(Math.max(0, limitMs - this.#clock.nowMs()))]);
    await this.#stopProcess(this.#plan.killAfterMs);
    // Whoever still sends finds nobody and gives up.
    await done;
    await this.#deliverWhatIsOnDisk();
    const aftermath = {
      plan: this.#plan,
      records: this.#records,
      history: this.#history,
      explained: this.#explained,
      damagedItems: this.#disk.damagedItems,
      violated: (sentence: string) => this.#invariants.violated(sentence),
    };
    checkDeliveries(aftermath, this.#destinations);
  }

  async #intervene(): Promise<void> {
    for (const { atMs, isUnattended, reload } of this.#plan.interventions) {
      if (atMs >= this.#plan.stopMs) return;
      await this.#clock.sleep(Math.max(0, atMs - this.#clock.nowMs()));
      if (reload === undefined) await this.#crash();
      else await this.#reload(reload, isUnattended);
    }
  }

  async #crash(): Promise<void> {
    const process = this.#process;
    if (process !== undefined) this.#kill(process);
    await this.#clock.sleep(this.#chance.between(1, 2_000));
    await this.#startProcess(this.#history.inForce);
  }

  #kill(process: GatewayProcess): void {
    this.#process = undefined;
    const batches = this.#history.plans.some(({ processors }) => "batch" in processors);
    this.#explained.noteCrash(process.accounting(), batches);
    process.kill();
    if (this.#chance.happens(this.#plan.damageProbability)) this.#disk.damageOne();
  }

  /** Sometimes nobody waits for a reload: the next thing happens while it is under way. */
  async #reload(gateway: GatewayPlan, isUnattended: boolean): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    const reload = this.#history.begin(gateway, this.#clock.nowMs());
    const outcome = process.reload(gateway, this.#plan.shutdownTimeoutMs);
    const checked = outcome.then((result) => {
      const isInForce = ["applied", "unchanged"].includes(result.outcome);
      this.#history.end(reload, isInForce, this.#clock.nowMs());
      const wanted = gateway.isBroken ? ["rolled_back"] : ["applied", "unchanged"];
      if (["superseded", "stopped", ...wanted].includes(result.outcome)) return;
      this.#invariants.violated(`a reload came to ${JSON.stringify(result)}`);
    });
    if (!isUnattended) await checked;
  }

  async #startProcess(gateway: GatewayPlan): Promise<void> {
    const around = {
      plan: this.#plan,
      destinations: this.#destinations,
      registry: this.#registry,
      disk: this.#disk,
      violated: (sentence: string) => this.#invariants.violated(sentence),
    };
    this.#history.start(gateway, this.#clock.nowMs());
    const chance = this.#chance.split();
    const process = new GatewayProcess(gateway, this.#clock, around, chance);
    await process.start();
    this.#process = process;
  }

  /** @param killAfterMs how long after that it is killed, if it has not ended by then */
  async #stopProcess(killAfterMs: number): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    const startMs = this.#clock.nowMs();
    const stopped = process.shutdown(startMs + this.#plan.shutdownTimeoutMs).then(() => true);
    const killed = this.#clock.sleep(killAfterMs).then(() => false);
    if (await Promise.race([stopped, killed])) {
      const accounting = process.accounting();
      this.#invariants.checkStop(accounting, this.#clock.nowMs() - startMs);
      this.#explained.noteStop(accounting);
    } else {
      this.#kill(process);
    }
    this.#invariants.checkNoBugs(process.meter);
    this.#process = undefined;
  }

  /** A new process in a world without faults must deliver everything that is left. */
  async #deliverWhatIsOnDisk(): Promise<void> {
    if (this.#disk.itemCount === 0) return;
    this.#disk.heal();
    for (const destination of this.#destinations.values()) destination.heal();
    await this.#startProcess(this.#plan.gateway);
    const limitMs = this.#clock.nowMs() + AFTERMATH_MS_MAX;
    while (this.#disk.itemCount > 0 && this.#clock.nowMs() < limitMs) {
      await this.#clock.sleep(AFTERMATH_POLL_MS);
    }
    if (this.#disk.itemCount > 0) {
      this.#invariants.violated(`${this.#disk.itemCount} items stay on disk for ever`);
    }
    await this.#stopProcess(Number.POSITIVE_INFINITY);
  }

  #afterEvent(): void {
    this.#events++;
    const process = this.#process;
    if (process === undefined || this.#events % CHECK_EVERY_EVENTS !== 0) return;
    this.#invariants.checkMoment(process.accounting(), process.meter);
  }
}
