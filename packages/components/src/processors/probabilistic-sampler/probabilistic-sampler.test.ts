import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, RetryableError } from "@inode-gateway/contract";
import { RequestView } from "@inode-gateway/otlp";
import {
  buildRequest,
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
} from "@inode-gateway/testkit";
import type { z } from "zod";
import type { probabilisticSamplerConfig } from "./config.js";
import { probabilisticSampler } from "./factory.js";

const metric = "otelcol_processor_probabilistic_sampler_count_traces_sampled";

function start(config: z.input<typeof probabilisticSamplerConfig>) {
  const settings = createTestSettings({
    id: "probabilistic_sampler",
    kind: "processor",
    signal: "traces",
  });
  const output = new CapturingConsumer();
  const parsed = probabilisticSampler.config.parse(config);
  const sampler = probabilisticSampler.create(settings, parsed, output);
  return { sampler, output, settings };
}

function spans(itemsPerScope: number, seed: number = 1): Batch {
  const bytes = buildRequest("traces", { itemsPerScope, resources: 2, seed });
  return new Batch({ signal: "traces", chunks: [bytes], origin: createTestOrigin() });
}

test("every span is kept or counted as dropped, and the share is what was asked for", async () => {
  for (const mode of ["hash_seed", "proportional", "equalizing"] as const) {
    const { output, sampler, settings } = start({ mode, sampling_percentage: 25 });
    const batch = spans(2_000);
    await sampler.consume(batch);
    const dropped = settings.ledger.droppedItems("sampled_out");
    assert.equal(output.itemCount + dropped, batch.itemCount);
    assert.ok(Math.abs(output.itemCount / batch.itemCount - 0.25) < 0.04, `${output.itemCount}`);
    const policy = mode === "hash_seed" ? "trace_id_hash" : "trace_id_w3c";
    const labels = { processor: "probabilistic_sampler", policy };
    assert.equal(settings.meter.value(metric, { ...labels, sampled: "false" }), dropped);
    assert.equal(settings.meter.value(metric, { ...labels, sampled: "true" }), output.itemCount);
  }
});

test("what is dropped is counted only when the rest was accepted", async () => {
  const { output, sampler, settings } = start({ sampling_percentage: 50 });
  output.respond = () => Promise.reject(new RetryableError("QUEUE_FULL", "full"));
  await assert.rejects(sampler.consume(spans(50)), { code: "QUEUE_FULL" });
  assert.equal(settings.ledger.droppedItems(), 0);
});

test("when nothing is left, nothing is passed on and all is counted", async () => {
  const { output, sampler, settings } = start({ sampling_percentage: 0 });
  await sampler.consume(spans(50));
  assert.equal(output.offered.length, 0);
  assert.deepEqual(settings.ledger.dropReasons, { sampled_out: 100 });
});

test("a second sampler multiplies the probability of the first", async () => {
  const first = start({ mode: "proportional", sampling_percentage: 50 });
  await first.sampler.consume(spans(500));
  const second = start({ mode: "proportional", sampling_percentage: 50 });
  for (const batch of first.output.batches) await second.sampler.consume(batch);
  const states = second.output.batches.flatMap(({ bytes }) =>
    [...new RequestView(bytes).resources()]
      .flatMap((group) => [...group.scopes()])
      .flatMap((scope) => [...scope.spans()])
      .map((span) => span.traceState),
  );
  assert.ok(states.length > 150);
  assert.deepEqual([...new Set(states)], ["ot=th:c"]);
});

test("a percentage that is no number is refused", () => {
  for (const percentage of [Number.NaN, Number.POSITIVE_INFINITY, 1e39]) {
    assert.throws(
      () => probabilisticSampler.config.parse({ sampling_percentage: percentage }),
      /sampling rate is invalid/,
    );
  }
});
