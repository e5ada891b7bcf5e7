import {
  AttributeList,
  FieldCursor,
  findAttribute,
  type ItemFate,
  type ItemRewriter,
  NO_ATTRIBUTE,
  readText,
  type SpliceTarget,
} from "@inode-gateway/otlp";
import { parseGoDouble } from "../../attribute-actions/go-numbers.js";
import { readTypedValue } from "../../attribute-actions/typed-value.js";
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
import { ALWAYS, formatThreshold, NEVER, parseRandomness, type Threshold } from "./threshold.js";
import { formatTraceState, parseTraceState, type TraceState } from "./trace-state.js";

const TRACE_ID = 1;
const TRACE_STATE = 3;

/** OpenTracing's attribute: 0 drops a span, more than 0 keeps it. */
const PRIORITY_KEY = Buffer.from("sampling.priority");

/** What a span says about itself, and what was found out about it. */
interface SpanEvidence {
  readonly randomness: Randomness;
  /** Undefined when it must stay as it is. */
  readonly state: TraceState | undefined;
  readonly isFaulty: boolean;
}

/** Decides over spans, and writes probability and random value into the tracestate of those it keeps. */
export class SpanSampler implements ItemRewriter {
  readonly #mode: SamplingMode;
  readonly #seed: number;
  readonly #onFault: Threshold;
  readonly #counters: DecisionCounters;
  readonly #list = new AttributeList();

  constructor(config: ProbabilisticSamplerConfig, counters: DecisionCounters) {
    this.#mode = samplingMode(config);
    this.#seed = config.hash_seed;
    this.#onFault = config.fail_closed ? NEVER : ALWAYS;
    this.#counters = counters;
  }

  /** Forgets the last span. */
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
    const span = locate(bytes, start, end);
    const written = span.stateEnd < 0 ? "" : readText(bytes, span.stateStart, span.stateEnd);
    const { isFaulty, randomness, state } = this.#evidence(bytes, span.traceId, written);
    let threshold = isFaulty ? this.#onFault : this.#mode.threshold(state?.threshold);
    let { policy } = randomness;
    const forced = this.#priority(bytes, start, end, attributesField);
    if (forced !== undefined) {
      threshold = forced;
      policy = anyRandomness.policy;
    }
    const isSampled = threshold <= randomness.digits;
    this.#counters.count(policy, isSampled);
    if (!isSampled) return "drop";
    if (state === undefined) return "keep";
    raiseThreshold(state, threshold);
    const text = formatTraceState(state);
    if (text === written) return "keep";
    writeSpan(bytes, start, end, text, target);
    return "replace";
  }

  #priority(bytes: Uint8Array, start: number, end: number, field: number): Threshold | undefined {
    // Hardly any span has one, and looking for it costs a third of reading all attributes.
    const found = findAttribute(bytes, start, end, field, PRIORITY_KEY);
    if (found === NO_ATTRIBUTE) return undefined;
    this.#list.load(bytes, start, end, field);
    return priorityOf(this.#list);
  }

  /** @param traceId where the trace ID begins; -1 without one */
  #evidence(bytes: Uint8Array, traceId: number, written: string): SpanEvidence {
    const state = parseTraceState(written);
    const { isInvalid, randomness: explicit } = state;
    if (this.#mode.kind === "never") return checked(anyRandomness, state, isInvalid);
    if (this.#mode.kind === "hash_seed") {
      const randomness =
        traceId < 0
          ? missingRandomness
          : hashedRandomness(bytes, traceId, traceId + TRACE_ID_BYTES, this.#seed, "trace_id_hash");
      // Who sends sampling fields samples consistently: the hash must not speak for it.
      if (isInvalid || explicit !== "" || state.thresholdText !== "") {
        return { randomness, state: undefined, isFaulty: true };
      }
      state.randomness = randomness.digits;
      return checked(randomness, state, false);
    }
    if (isInvalid) return { randomness: missingRandomness, state: undefined, isFaulty: true };
    return checked(consistentRandomness(explicit, bytes, traceId), state, false);
  }
}

function consistentRandomness(explicit: string, bytes: Uint8Array, traceId: number): Randomness {
  const digits = parseRandomness(explicit);
  if (digits !== undefined) return { digits, policy: "sampling_randomness", isMissing: false };
  return traceId < 0 ? missingRandomness : traceIdRandomness(bytes, traceId);
}

/** A threshold that would not have let the item pass is a lie and is taken away. */
function checked(randomness: Randomness, state: TraceState, isInvalid: boolean): SpanEvidence {
  if (isInvalid || randomness.isMissing) return { randomness, state, isFaulty: true };
  const isLie = state.threshold !== undefined && state.threshold > randomness.digits;
  if (isLie) {
    state.threshold = undefined;
    state.thresholdText = "";
  }
  return { randomness, state, isFaulty: isLie };
}

/** A probability may fall on the way and never rise. */
function raiseThreshold(state: TraceState, threshold: Threshold): void {
  if (state.threshold !== undefined && state.threshold > threshold) return;
  state.threshold = threshold;
  state.thresholdText = formatThreshold(threshold);
}

function priorityOf(list: AttributeList): Threshold | undefined {
  const position = list.find(PRIORITY_KEY);
  if (position < 0) return undefined;
  const { type, value } = readTypedValue(list.value(position));
  let priority: number | undefined;
  if (type === "int" || type === "double") priority = Number(value);
  else if (type === "string") priority = parseGoDouble(value as string);
  if (priority === 0) return NEVER;
  return priority !== undefined && priority > 0 ? ALWAYS : undefined;
}

/** Where the fields that matter lie; of several the last one counts. */
function locate(bytes: Uint8Array, start: number, end: number) {
  let traceId = -1;
  let stateStart = -1;
  let stateEnd = -1;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number === TRACE_ID) traceId = traceIdAt(bytes, field.contentStart, field.contentEnd);
    else if (field.number === TRACE_STATE) {
      stateStart = field.contentStart;
      stateEnd = field.contentEnd;
    }
  }
  return { traceId, stateStart, stateEnd };
}

/** Where a trace ID begins: `start`, or -1 when it is empty or all zero, which is no trace ID. */
export function traceIdAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== TRACE_ID_BYTES) return -1;
  for (let index = start; index < end; index++) if (bytes[index] !== 0) return start;
  return -1;
}

/** The span with another tracestate, in the place of the old one, at the end if there was none. */
function writeSpan(
  bytes: Uint8Array,
  start: number,
  end: number,
  traceState: string,
  target: SpliceTarget,
): void {
  const text = Buffer.from(traceState);
  let keptUntil = start;
  let isWritten = text.byteLength === 0;
  const write = () => {
    if (isWritten) return;
    target.insertHeader(TRACE_STATE, text.byteLength);
    target.insert(text);
    isWritten = true;
  };
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== TRACE_STATE) continue;
    target.keep(keptUntil, field.fieldStart);
    keptUntil = field.contentEnd;
    write();
  }
  target.keep(keptUntil, end);
  write();
}
