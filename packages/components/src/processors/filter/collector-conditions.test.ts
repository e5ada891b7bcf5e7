import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Batch, PermanentError, type Processor } from "@inode-gateway/contract";
import {
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  decodeRequest,
} from "@inode-gateway/testkit";
import { filterProcessor } from "./factory.js";

/**
 * What the Collector's `filter` of v0.155.0 did, with `error_mode: propagate`: seven requests of one
 * item each for every signal, as base64, and for each context what became of the item by condition. A
 * letter for each request: `d` dropped, `k` kept, `e` refused, since the condition had no answer; or
 * `refused` when the configuration was.
 *
 * The items have attributes of every type, also empty, nested, not finite and without a value. Most
 * conditions were drawn by a generator with seed 4 from paths, literals, operators and functions; the
 * others are the corners of each function.
 */
interface CollectorConditions {
  readonly requests: Readonly<Record<Signal, readonly string[]>>;
  readonly results: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type Signal = "traces" | "metrics" | "logs";

const path = new URL("../../../src/processors/filter/collector-conditions.json", import.meta.url);
const collector = JSON.parse(readFileSync(path, "utf8")) as CollectorConditions;

/** Where this filter differs on purpose; docs/ottl.md says so. */
const differences: Readonly<Record<string, string>> = {
  // Not supported.
  "explicit_bounds == nil": "refused",
  "status == 1": "refused",
  'attributes["l"][-1] == nil': "refused",
  "IsMatch(name, name)": "refused",
  'IsMatch(name, Concat(["G", "E"], ""))': "refused",
  // A list that `Split` made equals no list in the Collector, and `Concat` takes none but a literal.
  'Split(attributes["s"], ",") == ["a", "b", "", "c"]': "kkkkkde",
  'Split("", ",") == [""]': "ddddddd",
  'Split("ab", "") == ["a", "b"]': "ddddddd",
  'Concat(attributes["l"], ",") == "a,b"': "dkkekke",
  // The Collector's filter never says which event it is.
  "event_index == 0": "ddddddd",
  "event_index < false": "kkkkkkk",
  'IsMatch(event_index, "a$")': "kkkkkkk",
  'attributes["m"]["k"] >= event_index': "kkekkkk",
};

for (const [context, results] of Object.entries(collector.results)) {
  test(`conditions of context ${context} do what they do in the Collector`, async () => {
    const wrong: string[] = [];
    for (const [condition, expected] of Object.entries(results)) {
      const actual = await outcome(context, condition);
      const wanted = differences[condition] ?? expected;
      if (actual !== wanted && !areBothWithoutAnswer(actual, wanted)) {
        wrong.push(`${condition}: ${actual}, the Collector: ${expected}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

// A mistake that shows in the condition alone may be told at once, or for every item.
function areBothWithoutAnswer(one: string, other: string): boolean {
  return [one, other].includes("refused") && [one, other].includes("eeeeeee");
}

async function outcome(context: string, condition: string): Promise<string> {
  const signal = signalOf(context);
  const written = { ...configOf(context, condition), error_mode: "propagate" };
  const config = filterProcessor.config.safeParse(written);
  if (!config.success) return "refused";
  const next = new CapturingConsumer();
  const settings = createTestSettings({ kind: "processor", signal });
  const filter = filterProcessor.create(settings, config.data, next);
  let letters = "";
  for (const request of collector.requests[signal]) {
    letters += await fate(filter, next, context, {
      signal,
      chunks: [Buffer.from(request, "base64")],
      origin: createTestOrigin(),
    });
  }
  return letters;
}

async function fate(
  filter: Processor,
  next: CapturingConsumer,
  context: string,
  parts: ConstructorParameters<typeof Batch>[0],
): Promise<"d" | "k" | "e"> {
  const before = next.batches.length;
  try {
    await filter.consume(new Batch(parts));
  } catch (error) {
    assert.ok(error instanceof PermanentError, String(error));
    return "e";
  }
  const kept = next.batches[before];
  if (kept === undefined) return "d";
  // Every span of the requests has one event.
  const hasEvent = /"events":\[\{/.test(JSON.stringify(decodeRequest(parts.signal, kept.bytes)));
  return context === "spanevent" && !hasEvent ? "d" : "k";
}

function signalOf(context: string): Signal {
  if (context === "log") return "logs";
  return context === "metric" || context === "datapoint" ? "metrics" : "traces";
}

function configOf(context: string, condition: string): Readonly<Record<string, unknown>> {
  if (context === "scope") return { trace_conditions: [{ context, conditions: [condition] }] };
  if (context === "log") return { logs: { log_record: [condition] } };
  return { [signalOf(context)]: { [context]: [condition] } };
}
