import {
  type Batch,
  type Component,
  type ComponentSettings,
  defineExporter,
  defineReceiver,
  type ExporterFactory,
  type ReceiverFactory,
  type ReceiverOutputs,
  type Signal,
} from "@inode-gateway/contract";
import { z } from "zod";
import { CapturingExporter } from "./capturing-consumer.js";

const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];

/** A receiver that takes batches from a test instead of a socket. */
export class ManualReceiver implements Component {
  readonly settings: ComponentSettings;
  readonly outputs: ReceiverOutputs;
  /** Between `start` and `shutdown`. */
  isRunning = false;

  constructor(settings: ComponentSettings, outputs: ReceiverOutputs) {
    this.settings = settings;
    this.outputs = outputs;
  }

  start(): Promise<void> {
    this.isRunning = true;
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.isRunning = false;
    return Promise.resolve();
  }

  /** Hands one batch to the pipelines, as a request would. */
  push(batch: Batch): Promise<void> {
    const output = this.outputs[batch.signal];
    if (output === undefined) throw new Error(`no pipeline wants ${batch.signal}`);
    return output.consume(batch);
  }
}

/** An exporter factory whose instances a test can look into. */
export interface CapturingExporterFactory {
  readonly factory: ExporterFactory;
  /** Instances by `id:signal`, such as `capture/a:traces`. */
  readonly instances: ReadonlyMap<string, CapturingExporter>;
}

/** Makes exporters that keep what they get. `type` defaults to `capture`; no configuration keys. */
export function capturingExporterFactory(type = "capture"): CapturingExporterFactory {
  const instances = new Map<string, CapturingExporter>();
  const factory = defineExporter({
    type,
    signals: SIGNALS,
    stability: "development",
    config: z.strictObject({}),
    create: (settings) => {
      const exporter = new CapturingExporter();
      instances.set(`${settings.id}:${settings.signal}`, exporter);
      return exporter;
    },
  });
  return { factory, instances };
}

/** A receiver factory whose instances a test can push batches into. */
export interface ManualReceiverFactory {
  readonly factory: ReceiverFactory;
  /** Instances by ID. */
  readonly instances: ReadonlyMap<string, ManualReceiver>;
}

/** Makes receivers that are pushed by a test. `type` defaults to `manual`; no configuration keys. */
export function manualReceiverFactory(type = "manual"): ManualReceiverFactory {
  const instances = new Map<string, ManualReceiver>();
  const factory = defineReceiver({
    type,
    signals: SIGNALS,
    stability: "development",
    config: z.strictObject({}),
    create: (settings, _config, outputs) => {
      const receiver = new ManualReceiver(settings, outputs);
      instances.set(settings.id, receiver);
      return receiver;
    },
  });
  return { factory, instances };
}
