import { batchProcessor, inodeResolver } from "@inode-gateway/components";
import { type ConfigurationTree, loadConfiguration } from "@inode-gateway/config";
import {
  Batch,
  type ComponentFactory,
  type Logger,
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
import type { Chance } from "./chance.js";
import type { SimulatedSignal } from "./items.js";
import type { GatewayPlan } from "./schedule-plan.js";
import { type ClientTarget, ConnectionLost } from "./sending-client.js";
import { ProcessClock, type SimulatedClock } from "./simulated-clock.js";
import { type Surroundings, simulatedFactories } from "./simulated-factories.js";

/** How long a broken connection takes to be noticed. */
const BREAK_MS = 5;

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** One life of the gateway: real pipelines between a simulated receiver and simulated destinations. */
export class GatewayProcess implements ClientTarget {
  readonly meter = new RecordingMeter();
  readonly #clock: ProcessClock;
  readonly #world: SimulatedClock;
  readonly #runtime: PipelineRuntime;
  readonly #breaks: (() => void)[] = [];
  #factories: readonly ComponentFactory[] = [];
  #outputs: ReceiverOutputs | undefined;
  #running = 0;
  #whenIdle: (() => void) | undefined;

  private constructor(
    world: SimulatedClock,
    clock: ProcessClock,
    createRuntime: (process: GatewayProcess) => PipelineRuntime,
  ) {
    this.#world = world;
    this.#clock = clock;
    this.#runtime = createRuntime(this);
  }

  /** Reads the configuration and builds the pipelines; starts nothing. */
  static async create(
    plan: GatewayPlan,
    world: SimulatedClock,
    around: Omit<Surroundings, "clock" | "receiving">,
    chance: Chance,
  ): Promise<GatewayProcess> {
    const clock = new ProcessClock(world);
    const tree = await treeOf(plan);
    return new GatewayProcess(world, clock, (process) => {
      const receiving = {
        begin: (outputs: ReceiverOutputs) => {
          process.#outputs = outputs;
        },
        end: (deadlineMs: number) => process.#stopReceiving(deadlineMs),
      };
      const own = simulatedFactories({ ...around, clock, receiving });
      process.#factories = [...own, inodeResolver, batchProcessor];
      return createPipelineRuntime({
        checked: process.#check(tree),
        logger: silent,
        meter: process.meter,
        clock,
        random: chance.fraction,
        build: { command: "simulation", version: "0" },
      });
    });
  }

  start(): Promise<void> {
    return this.#runtime.start();
  }

  /** Goes over to another configuration; never settles when the process is killed before. */
  async reload(plan: GatewayPlan, timeoutMs: number): Promise<ReloadOutcome> {
    const tree = await treeOf(plan);
    return this.#runtime.reload(this.#check(tree), this.#clock.nowMs() + timeoutMs);
  }

  /** Stops in order, then ends; the returned promise never settles when the process is killed before. */
  async shutdown(deadlineMs: number): Promise<void> {
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

  async send(signal: SimulatedSignal, bytes: Uint8Array, deadlineMs: number): Promise<void> {
    const output = this.#outputs?.[signal];
    if (output === undefined) throw new ConnectionLost("nobody listens");
    const refusal = output.refusal?.();
    if (refusal !== undefined) throw refusal;
    const metadata = new Map<string, readonly string[]>();
    const receivedAtMs = this.#clock.nowMs();
    const origin = { peer: "client", receivedAtMs, deadlineMs, metadata, request: bytes };
    const broken = new Promise<never>((_resolve, reject) => {
      this.#breaks.push(() => {
        this.#world.setTimer(BREAK_MS, () => reject(new ConnectionLost("the gateway died")));
      });
    });
    broken.catch(() => undefined);
    this.#running++;
    const answered = output.consume(new Batch({ signal, chunks: [bytes], origin })).finally(() => {
      this.#running--;
      if (this.#running === 0) this.#whenIdle?.();
    });
    await Promise.race([answered, broken]);
  }

  #check(tree: ConfigurationTree): CheckedConfiguration {
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

function treeOf(plan: GatewayPlan): Promise<ConfigurationTree> {
  const yaml = `yaml:${JSON.stringify(configurationOf(plan))}`;
  return loadConfiguration({ configs: [yaml], sets: [], environment: {} });
}

function configurationOf({ exporters, isBroken, processors, signals }: GatewayPlan): unknown {
  const sections = Object.entries(exporters).map(([name, section]) => {
    return [`destination/${name}`, { ...section, destination: name }] as const;
  });
  const pipeline = {
    receivers: ["clients"],
    // The resolver stands before the batch processor, as the documentation says.
    processors: ["inode_resolver", "batch"].filter((id) => id in processors),
    exporters: sections.map(([id]) => id),
  };
  const extensions = ["registry", "disk", ...(isBroken ? ["broken"] : [])];
  return {
    receivers: { clients: {} },
    processors,
    exporters: Object.fromEntries(sections),
    extensions: Object.fromEntries(extensions.map((id) => [id, {}])),
    service: {
      extensions,
      pipelines: Object.fromEntries(signals.map((signal) => [signal, pipeline])),
    },
  };
}
