import {
  AttributeList,
  encodeAnyValue,
  FieldCursor,
  type ItemFate,
  type ItemRewriter,
  type SpliceTarget,
} from "@inode-gateway/otlp";
import { readTypedValue } from "../../attribute-actions/typed-value.js";
import { textOfValue } from "../../attribute-actions/value-text.js";
import type { ProbabilisticSamplerConfig } from "./config.js";
import type { DecisionCounters } from "./metrics.js";
import {
  anyRandomness,
  hashedRandomness,
  missingRandomness,
  type Randomness,
  TRACE_ID_BYTES,
  traceIdRandomness,
} from "./randomness.js";
import { type SamplingMode, samplingMode } from "./sampling-mode.js";
import { traceIdAt } from "./span-sampler.js";
import {
  ALWAYS,
  formatThreshold,
  NEVER,
  parseRandomness,
  parseThreshold,
  probabilityThreshold,
  type Threshold,
} from "./threshold.js";

const TRACE_ID = 9;
const PERCENT = 100;
const THRESHOLD_KEY = Buffer.from("sampling.threshold");
const RANDOMNESS_KEY = Buffer.from("sampling.randomness");

/** What a record says in its sampling attributes, which are to logs what a tracestate is to spans. */
interface SamplingAttributes {
  readonly randomness: string | undefined;
  readonly threshold: Threshold | undefined;
  readonly isInvalid: boolean;
}

interface RecordEvidence {
  readonly randomness: Randomness;
  readonly threshold: Threshold | undefined;
  readonly isFaulty: boolean;
  /** Whether the sampling attributes may be written. */
  readonly isWritable: boolean;
}

/** Decides over log records, and writes probability and random value into the attributes of those it keeps. */
export class LogSampler implements ItemRewriter {
  readonly #mode: SamplingMode;
  readonly #config: ProbabilisticSamplerConfig;
  readonly #source: Buffer;
  readonly #priority: Buffer;
  readonly #onFault: Threshold;
  readonly #counters: DecisionCounters;
  readonly #list = new AttributeList();

  constructor(config: ProbabilisticSamplerConfig, counters: DecisionCounters) {
    this.#mode = samplingMode(config);
    this.#config = config;
    this.#source = Buffer.from(config.from_attribute);
    this.#priority = Buffer.from(config.sampling_priority);
    this.#onFault = config.fail_closed ? NEVER : ALWAYS;
    this.#counters = counters;
  }

  /** Forgets the last record. */
  unload(): void {
    this.#list.unload();
  }

  item(
    bytes: Uint8Array,
    start: number,
    end: number,
    attributesField: number,
    target: SpliceTarget,
  ): ItemFate {
    const list = this.#list;
    list.load(bytes, start, end, attributesField);
    const traceId = findTraceId(bytes, start, end);
    const {
      isFaulty,
      isWritable,
      randomness,
      threshold: arriving,
    } = this.#evidence(bytes, traceId);
    let threshold = isFaulty ? this.#onFault : this.#mode.threshold(arriving);
    let { policy } = randomness;
    const wanted = this.#priorityThreshold();
    if (wanted !== undefined) {
      threshold = wanted;
      policy = anyRandomness.policy;
    }
    const isSampled = threshold <= randomness.digits;
    this.#counters.count(policy, isSampled);
    if (!isSampled) return "drop";
    if (isWritable && !(arriving !== undefined && threshold < arriving)) {
      setText(list, THRESHOLD_KEY, formatThreshold(threshold));
    }
    if (!list.isChanged) return "keep";
    list.writeTo(target);
    return "replace";
  }

  /** @param traceId where the trace ID begins; -1 without one */
  #evidence(bytes: Uint8Array, traceId: number): RecordEvidence {
    const sent = this.#sentAttributes();
    if (this.#mode.kind === "never") return this.#checked(anyRandomness, sent, true);
    if (this.#mode.kind === "hash_seed") {
      const randomness = this.#hashed(bytes, traceId);
      const isInUse = sent.randomness !== undefined || sent.threshold !== undefined;
      // Who sends sampling attributes samples consistently: the hash must not speak for it.
      if (sent.isInvalid || isInUse) {
        return { randomness, threshold: undefined, isFaulty: true, isWritable: false };
      }
      if (!randomness.isMissing) setText(this.#list, RANDOMNESS_KEY, randomness.digits);
      return this.#checked(randomness, sent, true);
    }
    if (sent.isInvalid) {
      const randomness = missingRandomness;
      return { randomness, threshold: undefined, isFaulty: true, isWritable: false };
    }
    return this.#checked(consistentRandomness(sent, bytes, traceId), sent, true);
  }

  /** A threshold that would not have let the record pass is a lie and is taken away. */
  #checked(
    randomness: Randomness,
    { isInvalid, threshold }: SamplingAttributes,
    isWritable: boolean,
  ): RecordEvidence {
    if (isInvalid || randomness.isMissing) {
      return { randomness, threshold, isFaulty: true, isWritable };
    }
    const isLie = threshold !== undefined && threshold > randomness.digits;
    if (!isLie) return { randomness, threshold, isFaulty: false, isWritable };
    const position = this.#list.find(THRESHOLD_KEY);
    if (position >= 0) this.#list.remove(position);
    return { randomness, threshold: undefined, isFaulty: true, isWritable };
  }

  #hashed(bytes: Uint8Array, traceId: number): Randomness {
    const { attribute_source: source, from_attribute: name, hash_seed: seed } = this.#config;
    if (source === "traceID" && traceId >= 0) {
      return hashedRandomness(bytes, traceId, traceId + TRACE_ID_BYTES, seed, "trace_id_hash");
    }
    const position = name === "" ? -1 : this.#list.find(this.#source);
    if (position < 0) return missingRandomness;
    const { value } = readTypedValue(this.#list.value(position));
    const hashed = value instanceof Uint8Array ? value : Buffer.from(textOfValue(value));
    const { byteLength } = hashed;
    return byteLength === 0
      ? missingRandomness
      : hashedRandomness(hashed, 0, byteLength, seed, name);
  }

  #sentAttributes(): SamplingAttributes {
    const thresholdText = textAt(this.#list, THRESHOLD_KEY);
    const randomnessText = textAt(this.#list, RANDOMNESS_KEY);
    const threshold = parseThreshold(thresholdText);
    const randomness = parseRandomness(randomnessText);
    const isInvalid =
      (thresholdText !== "" && threshold === undefined) ||
      (randomnessText !== "" && randomness === undefined);
    return { randomness, threshold, isInvalid };
  }

  #priorityThreshold(): Threshold | undefined {
    if (this.#priority.byteLength === 0) return undefined;
    const position = this.#list.find(this.#priority);
    if (position < 0) return undefined;
    const { type, value } = readTypedValue(this.#list.value(position));
    if (type !== "int" && type !== "double") return undefined;
    return probabilityThreshold(Number(value) / PERCENT, this.#config.sampling_precision);
  }
}

function consistentRandomness(
  { randomness: digits }: SamplingAttributes,
  bytes: Uint8Array,
  traceId: number,
): Randomness {
  if (digits !== undefined) return { digits, policy: "sampling_randomness", isMissing: false };
  return traceId < 0 ? missingRandomness : traceIdRandomness(bytes, traceId);
}

function findTraceId(bytes: Uint8Array, start: number, end: number): number {
  let traceId = -1;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number === TRACE_ID) traceId = traceIdAt(bytes, field.contentStart, field.contentEnd);
  }
  return traceId;
}

/** Text of an attribute; empty when there is none or it is something else. */
function textAt(list: AttributeList, key: Uint8Array): string {
  const position = list.find(key);
  if (position < 0) return "";
  const { type, value } = readTypedValue(list.value(position));
  return type === "string" ? (value as string) : "";
}

function setText(list: AttributeList, key: Uint8Array, text: string): void {
  const value = encodeAnyValue(text);
  const position = list.find(key);
  if (position < 0) list.add(key, value);
  else list.setValue(position, value);
}
