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
  defineProcessor,
  defineReceiver,
  PermanentError,
  type ReceiverOutputs,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import {
  CapturingLogger,
  createTestBatch,
  FakeClock,
  RecordingMeter,
  seededRandom,
} from "@inode-gateway/testkit";
import { z } from "zod";
import { checkConfiguration } from "../check/check-configuration.js";
import { createPipelineRuntime } from "../pipeline-runtime.js";

const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];
const config = z.strictObject({ size: z.int() });
const common = { stability: "development", config, signals: SIGNALS } as const;

/** Honest components of every sort, with random latencies and outcomes, on one fake clock. */
export class Laboratory {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly outputs = new Map<string, ReceiverOutputs>();
  /** What has really left, by `id:signal`. */
  readonly delivered = new Map<string, number>();
  /** Batches on disk, in items, by `id:signal`. */
  readonly disks = new Map<string, number[]>();
  readonly #pending = new Set<Promise<void>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  sleep(): Promise<void> {
    const delayMs = Math.floor(this.random() * 4) * 5;
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => void this.clock.setTimer(delayMs, resolve));
  }

  background(work: () => Promise<void>): void {
    const promise = work().finally(() => this.#pending.delete(promise));
    this.#pending.add(promise);
  }

  /** A component's shutdown: everything it has in the background ends. */
  life(): Component {
    return {
      start: () => Promise.resolve(),
      shutdown: async () => {
        await Promise.all(this.#pending);
      },
    };
  }

  fail(): void {
    const dice = this.random();
    if (dice < 0.15) throw new RetryableError("BACKEND_UNAVAILABLE", "away");
    if (dice < 0.25) throw new PermanentError("BACKEND_REJECTED", "no");
    if (dice < 0.27) throw new TypeError("a bug");
  }

  async deliver(settings: ComponentSettings, items: number): Promise<void> {
    await this.sleep();
    this.fail();
    const key = `${settings.id}:${settings.signal}`;
    this.delivered.set(key, (this.delivered.get(key) ?? 0) + items);
  }

  get factories(): readonly ComponentFactory[] {
    const processor = (
      type: string,
      consume: (settings: ComponentSettings, batch: Batch, next: Consumer) => Promise<void>,
    ) =>
      defineProcessor({
        ...common,
        type,
        create: (settings, _config, next) => ({
          ...this.life(),
          consume: (batch) => consume(settings, batch, next),
        }),
      });
    const exporter = (
      type: string,
      consume: (settings: ComponentSettings, batch: Batch) => Promise<void>,
    ) =>
      defineExporter({
        ...common,
        type,
        create: (settings) => ({ ...this.life(), consume: (batch) => consume(settings, batch) }),
      });
    return [
      defineReceiver({
        ...common,
        type: "rec",
        create: (settings, _config, outputs) => ({
          ...this.life(),
          // Nothing is received before the start and after the stop.
          start: async () => void this.outputs.set(settings.id, outputs),
          shutdown: async () => {
            if (this.outputs.get(settings.id) === outputs) this.outputs.delete(settings.id);
          },
        }),
      }),
      processor("pass", async (_settings, batch, next) => {
        await this.sleep();
        await next.consume(batch);
        await this.sleep();
      }),
      processor("filter", async ({ ledger }, batch, next) => {
        const dropped = Math.floor(this.random() * batch.itemCount);
        await next.consume(createTestBatch({ itemCount: batch.itemCount - dropped }));
        ledger.dropped(dropped, "filtered");
      }),
      processor("refuse", async (_settings, batch, next) => {
        this.fail();
        await next.consume(batch);
      }),
      processor("hold", async ({ ledger }, batch, next) => {
        ledger.held(batch.itemCount);
        this.background(async () => {
          await this.sleep();
          const isReleasedBefore = this.random() < 0.5;
          if (isReleasedBefore) ledger.released(batch.itemCount);
          try {
            await next.consume(batch);
          } catch {
            ledger.dropped(batch.itemCount, "refused");
          }
          if (!isReleasedBefore) ledger.released(batch.itemCount);
        });
      }),
      processor("leak", (_settings, batch, next) =>
        batch.itemCount > 1 ? next.consume(batch) : Promise.resolve(),
      ),
      exporter("direct", async (settings, batch) => {
        const rejected = this.random() < 0.2 ? Math.floor(this.random() * batch.itemCount) : 0;
        await this.deliver(settings, batch.itemCount - rejected);
        settings.ledger.dropped(rejected, "partial_success");
      }),
      exporter("queue", async (settings, batch) => {
        if (this.random() < 0.1) throw new RetryableError("QUEUE_FULL", "full");
        settings.ledger.held(batch.itemCount);
        this.background(async () => {
          await this.sleep();
          try {
            await this.deliver(settings, batch.itemCount);
          } catch {
            settings.ledger.dropped(batch.itemCount, "given_up");
          }
          settings.ledger.released(batch.itemCount);
        });
      }),
      this.#diskExporter(),
      defineConnector({
        ...common,
        type: "join",
        create: (settings, _config, outputs) => ({
          ...this.life(),
          consume: async (batch) => {
            await Promise.all([...outputs.values()].map((output) => output.consume(batch)));
            const key = `${settings.id}:${settings.signal}`;
            this.delivered.set(key, (this.delivered.get(key) ?? 0) + batch.itemCount);
          },
        }),
      }),
    ];
  }

  /** A queue on disk that delivers one batch after another and keeps the rest for the next start. */
  #diskExporter() {
    return defineExporter({
      ...common,
      type: "disk",
      exclusive: () => true,
      create: (settings) => {
        const { id, ledger, signal } = settings;
        const key = `${id}:${signal}`;
        const disk = this.disks.get(key) ?? [];
        this.disks.set(key, disk);
        let isStopping = false;
        const work = async () => {
          for (;;) {
            await this.sleep();
            const items = disk[0];
            if (isStopping || items === undefined) return;
            const isDelivered = await this.deliver(settings, items).then(
              () => true,
              () => false,
            );
            disk.shift();
            ledger.released(items);
            if (!isDelivered) ledger.dropped(items, "given_up");
          }
        };
        let working = Promise.resolve();
        const wake = () => {
          working = working.then(work);
        };
        return {
          start: async () => {
            for (const items of disk) ledger.recovered(items);
            wake();
          },
          consume: async (batch) => {
            if (isStopping) throw new RetryableError("SHUTTING_DOWN", "stopping");
            if (this.random() < 0.1) throw new RetryableError("STORAGE_FAILED", "disk full");
            disk.push(batch.itemCount);
            ledger.held(batch.itemCount);
            wake();
          },
          shutdown: async () => {
            if (isStopping) return;
            isStopping = true;
            await working;
            for (const items of disk) ledger.persisted(items);
          },
        };
      },
    });
  }

  async checked(pipelines: object, size = 1) {
    const ids = (...types: string[]) =>
      Object.fromEntries(
        types.flatMap((type) => [1, 2].map((name) => [`${type}/${name}`, { size }])),
      );
    const root = {
      receivers: ids("rec"),
      processors: ids("pass", "filter", "refuse", "hold", "leak"),
      exporters: ids("direct", "queue", "disk"),
      connectors: ids("join"),
      service: { pipelines },
    };
    const configs = [`yaml:${JSON.stringify(root)}`];
    const tree = await loadConfiguration({ configs, sets: [], environment: {} });
    const result = checkConfiguration(tree, this.factories, { telemetrySchema: z.unknown() });
    if ("problems" in result) assert.fail(JSON.stringify(result.problems));
    return result.checked;
  }

  async runtime(pipelines: object) {
    return createPipelineRuntime({
      checked: await this.checked(pipelines),
      logger: new CapturingLogger(),
      meter: new RecordingMeter(),
      clock: this.clock,
      random: this.random,
      build: { command: "test", version: "0" },
    });
  }
}
