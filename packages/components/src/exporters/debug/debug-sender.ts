import type { Batch, ComponentSettings } from "@inode-gateway/contract";
import { protobufToJson, RequestView } from "@inode-gateway/otlp";
import type { Sender } from "../../delivery/delivery-step.js";
import { BatchSampler } from "./batch-sampler.js";
import type { DebugConfig } from "./config.js";
import { detailedText } from "./detailed-text.js";
import { normalText } from "./normal-text.js";
import type { OtlpJson } from "./otlp-json.js";
import { signalShapes } from "./signal-shape.js";

/** Characters of one message; a batch that is longer is cut, so that a log line stays bounded. */
const TEXT_CHARACTERS_MAX = 1_048_576;

/** Writes batches to the process's own log, in more or less detail. */
export class DebugSender implements Sender {
  readonly #settings: ComponentSettings;
  readonly #config: DebugConfig;
  readonly #sampler: BatchSampler;

  constructor(settings: ComponentSettings, config: DebugConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#sampler = new BatchSampler(
      settings.clock,
      config.sampling_initial,
      config.sampling_thereafter,
    );
  }

  async start(): Promise<void> {}

  async send(batch: Batch): Promise<undefined> {
    if (!this.#sampler.next()) return;
    const { logger } = this.#settings;
    const { verbosity } = this.#config;
    const shape = signalShapes[batch.signal];
    logger.info(shape.title, {
      [shape.resourceCount]: [...new RequestView(batch.bytes).resources()].length,
      [shape.itemCount]: batch.itemCount,
    });
    if (verbosity === "basic") return;
    const write = verbosity === "normal" ? normalText : detailedText;
    logger.info(cut(write(batch.signal, decode(batch))));
  }

  async close(): Promise<void> {}
}

function decode(batch: Batch): OtlpJson {
  const json = protobufToJson(batch.signal, batch.bytes);
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString());
}

function cut(text: string): string {
  if (text.length <= TEXT_CHARACTERS_MAX) return text;
  const left = text.length - TEXT_CHARACTERS_MAX;
  return `${text.slice(0, TEXT_CHARACTERS_MAX)}\n... ${left} more characters were left out`;
}
