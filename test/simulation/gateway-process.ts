import {
  attributesProcessor,
  batchProcessor,
  defineMemoryLimiter,
  filterProcessor,
  forwardConnector,
  inodeResolver,
  probabilisticSampler,
  resourceProcessor,
  routingConnector,
} from "@inode-gateway/components";
import type { ConfigurationTree } from "@inode-gateway/config";
import {
  Batch,
  type ComponentFactory,
  isDeliveryError,
  type Logger,
  PermanentError,
  type ReceiverOutputs,
} from "@inode-gateway/contract";
import {
  type AccountingSnapshot,
  type CheckedConfiguration,
  checkConfiguration,
  createPipelineRuntime,
  type PipelineRuntime,
  type ReloadOutcome,
} from "@inode-gateway/pipeline";
import { RecordingMeter } from "@inode-gateway/testkit";
import { z } from "zod";
import { answerBoundMs } from "./answer-bound.js";
import type { Chance } from "./chance.js";
import { configurationOf } from "./gateway-configuration.js";
import { type GatewayPlan, TENANT_KEY } from "./plan-gateway.js";
import type { SchedulePlan } from "./schedule-plan.js";
import { type ClientTarget, ConnectionLost, type SentRequest } from "./sending-client.js";
import { ProcessClock, type SimulatedClock } from "./simulated-clock.js";
import { type Surroundings, simulatedFactories } from "./simulated-factories.js";
import { SimulatedMemory } from "./simulated-memory.js";

/** How long a broken connection takes to be noticed. */
const BREAK_MS = 5;
/**
 * From so long after a reload on, what still waits in the pipelines that it has replaced may be refused:
 * a reload drains them for a time, not for ever.
 */
const RELOAD_DRAIN_MS = 4_000;

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** What is outside a process, and who hears of what it should not do. */
export interface ProcessWorld extends Omit<Surroundings, "clock" | "receiving"> {
  readonly plan: SchedulePlan;
  readonly violated: (sentence: string) => void;
}

/** One life of the gateway: real pipelines between a simulated receiver and simulated destinations. */
export class GatewayProcess implements ClientTarget {
  readonly meter = new RecordingMeter();
  readonly #world: SimulatedClock;
  readonly #around: ProcessWorld;
  readonly #clock: ProcessClock;
  readonly #memory: SimulatedMemory;
  readonly #factories: readonly ComponentFactory[];
  readonly #runtime: PipelineRuntime;
  readonly #breaks: (() => void)[] = [];
  /** Every configuration it was told to go over to, and the one it began with. */
  readonly #plans: GatewayPlan[];
  #firstReloadMs = Number.POSITIVE_INFINITY;
  #outputs: ReceiverOutputs | undefined;
  #isStopping = false;
  #running = 0;
  #whenIdle: (() => void) | undefined;

  /** Builds the pipelines of a configuration; starts nothing. */
  constructor(plan: GatewayPlan, world: SimulatedClock, around: ProcessWorld, chance: Chance) {
    this.#world = world;
    this.#around = around;
    this.#clock = new ProcessClock(world);
    this.#memory = new SimulatedMemory(this.#clock, around.plan.memorySpikes);
    this.#plans = [plan];
    this.#factories = this.#makeFactories();
    this.#runtime = createPipelineRuntime({
      checked: this.#check(plan),
      logger: silent,
      meter: this.meter,
      clock: this.#clock,
      random: chance.fraction,
      build: { command: "simulation", version: "0" },
    });
  }

  start(): Promise<void> {
    return this.#runtime.start();
  }

  /** Goes over to another configuration; never settles when the process is killed before. */
  reload(plan: GatewayPlan, timeoutMs: number): Promise<ReloadOutcome> {
    const nowMs = this.#clock.nowMs();
    this.#firstReloadMs = Math.min(this.#firstReloadMs, nowMs);
    this.#plans.push(plan);
    return this.#runtime.reload(this.#check(plan), nowMs + timeoutMs);
  }

  /** Stops in order, then ends; the returned promise never settles when the process is killed before. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#runtime.shutdown(deadlineMs);
    this.kill();
  }

  /** Dies at once, between two events: what only its memory held is gone. */
  kill(): void {
    this.#clock.die();
    this.#outputs = undefined;
    for (const breakConnection of this.#breaks.splice(0)) breakConnection();
  }

  accounting(): AccountingSnapshot {
    return this.#runtime.accounting();
  }

  async send({ bytes, deadlineMs, signal, tenant }: SentRequest): Promise<void> {
    if (this.#outputs === undefined) throw new ConnectionLost("nobody listens");
    const output = this.#outputs[signal];
    if (output === undefined) throw new PermanentError("BATCH_MALFORMED", `no one takes ${signal}`);
    const refusal = output.refusal?.();
    if (refusal !== undefined) {
      this.#checkRefusal(refusal);
      throw refusal;
    }
    const metadata = new Map([[TENANT_KEY, [tenant]]]);
    const receivedAtMs = this.#clock.nowMs();
    const origin = { peer: tenant, receivedAtMs, deadlineMs, metadata, request: bytes };
    const broken = new Promise<never>((_resolve, reject) => {
      this.#breaks.push(() => {
        this.#world.setTimer(BREAK_MS, () => reject(new ConnectionLost("the gateway died")));
      });
    });
    broken.catch(() => undefined);
    this.#running++;
    this.#memory.requestBegan();
    const answered = output.consume(new Batch({ signal, chunks: [bytes], origin }));
    await Promise.race([this.#untilAnswered(answered, receivedAtMs, deadlineMs), broken]);
  }

  async #untilAnswered(answer: Promise<void>, sentMs: number, deadlineMs: number): Promise<void> {
    try {
      await answer;
    } catch (error) {
      this.#checkRefusal(error);
      throw error;
    } finally {
      this.#running--;
      this.#memory.requestEnded();
      if (this.#running === 0) this.#whenIdle?.();
      const tookMs = this.#clock.nowMs() - sentMs;
      const boundMs = answerBoundMs(this.#plans, deadlineMs - sentMs);
      if (tookMs > boundMs) this.#around.violated(`an answer took ${tookMs} ms of ${boundMs} ms`);
    }
  }

  /** Nobody is refused because of a reload, until what it has replaced has had its time to drain. */
  #checkRefusal(error: unknown): void {
    if (!isDeliveryError(error) || error.code !== "SHUTTING_DOWN" || this.#isStopping) return;
    const sinceMs = this.#clock.nowMs() - this.#firstReloadMs;
    if (sinceMs >= RELOAD_DRAIN_MS) return;
    this.#around.violated(`refused ${sinceMs} ms after a reload: ${error.message}`);
  }

  #makeFactories(): readonly ComponentFactory[] {
    const receiving = {
      begin: (outputs: ReceiverOutputs) => {
        this.#outputs = outputs;
      },
      end: (deadlineMs: number) => this.#stopReceiving(deadlineMs),
    };
    return [
      ...simulatedFactories({ ...this.#around, clock: this.#clock, receiving }),
      defineMemoryLimiter(this.#memory),
      filterProcessor,
      probabilisticSampler,
      resourceProcessor,
      attributesProcessor,
      inodeResolver,
      batchProcessor,
      forwardConnector,
      routingConnector,
    ];
  }

  #check(plan: GatewayPlan): CheckedConfiguration {
    const tree = treeOf(plan, this.#around.plan);
    const result = checkConfiguration(tree, this.#factories, { telemetrySchema: z.unknown() });
    if ("problems" in result) throw new Error(JSON.stringify(result.problems));
    return result.checked;
  }

  /** Takes no new requests and waits for those under way, as the receiver does. */
  async #stopReceiving(deadlineMs: number): Promise<void> {
    this.#outputs = undefined;
    if (this.#running === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
    await Promise.race([idle, this.#clock.sleep(Math.max(0, deadlineMs - this.#clock.nowMs()))]);
  }
}

/** As if it had been read from a file; reading YAML would take a third of a schedule's time. */
function treeOf(plan: GatewayPlan, { destinations }: SchedulePlan): ConfigurationTree {
  return { root: configurationOf(plan, destinations), warnings: [] };
}
