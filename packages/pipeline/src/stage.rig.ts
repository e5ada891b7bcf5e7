import assert from "node:assert/strict";
import { loadConfiguration } from "@inode-gateway/config";
import {
  type Batch,
  type Component,
  type ComponentFactory,
  type ComponentSettings,
  type Consumer,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type Host,
  type ReceiverOutputs,
  type Signal,
} from "@inode-gateway/contract";
import { CapturingLogger, FakeClock, RecordingMeter, seededRandom } from "@inode-gateway/testkit";
import { z } from "zod";
import { checkConfiguration } from "./check/check-configuration.js";
import type { CheckedConfiguration } from "./check/checked-configuration.js";
import { createPipelineRuntime } from "./pipeline-runtime.js";

/** What a component does besides writing down that it was called. */
export type Hooks = Partial<{
  start: (host: Host) => Promise<void> | void;
  shutdown: (deadlineMs: number) => Promise<void> | void;
  consume: (batch: Batch) => Promise<void> | void;
}>;

const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];

/** Components that write down what happens to them and do what a test says. */
export class Stage {
  readonly clock = new FakeClock();
  readonly logger = new CapturingLogger();
  readonly meter = new RecordingMeter();
  readonly calls: string[] = [];
  /** Every state that the runtime told of, in order. */
  readonly states: string[] = [];
  readonly settings = new Map<string, ComponentSettings>();
  readonly outputs = new Map<string, ReceiverOutputs>();
  readonly hooks: Record<string, Hooks> = {};

  name({ id, pipeline, signal, kind }: ComponentSettings): string {
    if (pipeline !== undefined) return `${id}@${pipeline}`;
    return signal === undefined || kind === "receiver" ? id : `${id}:${signal}`;
  }

  life(
    settings: ComponentSettings,
    consume?: (batch: Batch) => Promise<void>,
  ): Component & Consumer {
    const name = this.name(settings);
    this.settings.set(name, settings);
    this.calls.push(`create ${name}`);
    return {
      start: async (host) => {
        this.calls.push(`start ${name}`);
        await this.hooks[name]?.start?.(host);
      },
      shutdown: async (deadlineMs) => {
        this.calls.push(`stop ${name}`);
        await this.hooks[name]?.shutdown?.(deadlineMs);
      },
      consume: async (batch) => {
        this.calls.push(`${name} <- ${batch.itemCount}`);
        await this.hooks[name]?.consume?.(batch);
        await consume?.(batch);
      },
    };
  }

  readonly factories: readonly ComponentFactory[] = this.#createFactories();

  #createFactories(): readonly ComponentFactory[] {
    const config = z.strictObject({
      extension: z.string().optional(),
      /** Anything that makes two configurations differ. */
      size: z.int().optional(),
      /** Undefined leaves it to the kind. */
      exclusive: z.boolean().optional(),
    });
    const isExclusive = (kind: boolean) => ({
      exclusive: ({ exclusive }: z.output<typeof config>) => exclusive ?? kind,
    });
    const extensions = ({ extension }: z.output<typeof config>) =>
      extension === undefined ? [] : [{ extensionId: extension, path: ["extension"] }];
    const shared = { stability: "development", config, extensions, signals: SIGNALS } as const;
    const common = { ...shared, ...isExclusive(false) };
    return [
      defineReceiver({
        ...shared,
        ...isExclusive(true),
        type: "rec",
        create: (settings, _config, outputs) => {
          this.outputs.set(settings.id, outputs);
          return this.life(settings);
        },
      }),
      defineProcessor({
        ...common,
        type: "proc",
        create: (settings, _config, next) => this.life(settings, (batch) => next.consume(batch)),
      }),
      defineExporter({ ...common, type: "exp", create: (settings) => this.life(settings) }),
      defineConnector({
        ...common,
        type: "conn",
        create: (settings, _config, outputs) =>
          this.life(settings, async (batch) => {
            await Promise.all([...outputs.values()].map((output) => output.consume(batch)));
          }),
      }),
      defineExtension({
        ...shared,
        ...isExclusive(true),
        type: "ext",
        create: (settings) => ({
          ...this.life(settings),
          ready: () => void this.calls.push(`ready ${settings.id}`),
          notReady: () => void this.calls.push(`notReady ${settings.id}`),
        }),
      }),
    ];
  }

  async checked(yaml: string): Promise<CheckedConfiguration> {
    const tree = await loadConfiguration({ configs: [`yaml:${yaml}`], sets: [], environment: {} });
    const result = checkConfiguration(tree, this.factories, { telemetrySchema: z.unknown() });
    if ("problems" in result) assert.fail(JSON.stringify(result.problems));
    return result.checked;
  }

  async runtime(yaml: string) {
    return createPipelineRuntime({
      checked: await this.checked(yaml),
      logger: this.logger,
      meter: this.meter,
      clock: this.clock,
      random: seededRandom(),
      build: { command: "test", version: "0" },
      onStatus: ({ state }) => void this.states.push(state),
    });
  }

  push(receiver: string, batch: Batch): Promise<void> {
    const output = this.outputs.get(receiver)?.[batch.signal];
    assert.ok(output, `${receiver} has no pipeline for ${batch.signal}`);
    return output.consume(batch);
  }

  taken(): string[] {
    return this.calls.splice(0);
  }
}
