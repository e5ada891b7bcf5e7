import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Batch } from "@inode-gateway/contract";
import { createTestBatch, createTestOrigin, FakeClock } from "@inode-gateway/testkit";
import { telemetryConfig } from "../telemetry-config.js";
import { LINKS_MAX, type RecordedSpan, SpanRecorder } from "./span-recorder.js";

function createRecorder(sampler: unknown, random = () => 0) {
  const clock = new FakeClock();
  const spans: RecordedSpan[] = [];
  const config = telemetryConfig.parse({ traces: { sampler } }).traces.sampler;
  const onSpan = (span: RecordedSpan) => spans.push(span);
  return { clock, spans, recorder: new SpanRecorder(config, { clock, random, onSpan }) };
}

const batchWith = (traceparent: string) =>
  createTestBatch({ origin: { metadata: new Map([["traceparent", [traceparent]]]) } });

function merged(parts: readonly Batch[]): Batch {
  const chunks = parts.flatMap((part) => part.chunks);
  return new Batch({ signal: "traces", chunks, origin: createTestOrigin(), mergedFrom: parts });
}

suite("own spans", () => {
  test("of one request in a hundred by default: the last below the ratio, the first at it", () => {
    assert.ok(createRecorder({}, () => 0.009_999).recorder.received("otlp", createTestBatch()));
    const { recorder } = createRecorder({}, () => 0.01);
    const batch = createTestBatch();
    assert.equal(recorder.received("otlp", batch), undefined);
    assert.equal(recorder.sending("otlp_grpc", batch), undefined, "nor is it on its way out");
  });

  test("every kind of sampler decides as it says", () => {
    const follows = (sampler: unknown, random: number) =>
      createRecorder(sampler, () => random).recorder.received("otlp", createTestBatch()) !==
      undefined;
    assert.equal(follows({ always_on: {} }, 0.999), true);
    assert.equal(follows({ always_off: null }, 0), false);
    assert.equal(follows({ trace_id_ratio_based: { ratio: 0.5 } }, 0.499), true);
    assert.equal(follows({ trace_id_ratio_based: { ratio: 0.5 } }, 0.5), false);
    assert.equal(follows({ parent_based: { root: { always_on: {} } } }, 0.999), true);
    const two = { always_on: {}, always_off: {} };
    assert.equal(telemetryConfig.safeParse({ traces: { sampler: two } }).success, false);
  });

  test("a sender's decision counts, unless its header is none", () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const span = "00f067aa0ba902b7";
    const never = createRecorder({ parent_based: { root: { always_off: {} } } });
    assert.ok(never.recorder.received("otlp", batchWith(`00-${trace}-${span}-01`)));
    const always = createRecorder({ parent_based: { root: { always_on: {} } } });
    assert.equal(always.recorder.received("otlp", batchWith(`00-${trace}-${span}-00`)), undefined);
    const zeros = `00-${"0".repeat(32)}-${span}-01`;
    for (const wrong of [zeros, `01-${trace}-${span}-01`, `00-${trace}-${span}`, "x"]) {
      assert.equal(never.recorder.received("otlp", batchWith(wrong)), undefined, wrong);
    }
    const unasked = createRecorder({ always_off: {} });
    assert.equal(unasked.recorder.received("otlp", batchWith(`00-${trace}-${span}-01`)), undefined);
  });

  test("of a try belong to the request's span, with its time and what went wrong", async () => {
    const { clock, recorder, spans } = createRecorder({ always_on: {} });
    const batch = createTestBatch({ itemCount: 7 });
    const received = recorder.received("otlp/a", batch);
    // What a processor makes of a batch is still the same request.
    const sending = recorder.sending("otlp_grpc/b", batch.withChunks(batch.chunks));
    await clock.advance(25);
    sending?.(new Error("not now"));
    received?.();
    const [sent, root] = spans;
    assert.equal(root?.name, "receiver/otlp/a/TraceDataReceived");
    assert.equal(sent?.name, "exporter/otlp_grpc/b/traces");
    assert.deepEqual([sent?.traceId, sent?.parentSpanId], [root?.traceId, root?.spanId]);
    assert.deepEqual([sent?.durationMs, sent?.failure], [25, "not now"]);
    assert.deepEqual([root?.failure, root?.attributes["items"]], [undefined, 7]);
  });

  test("of a merged batch refer to the followed requests in it, up to the limit", () => {
    const { recorder, spans } = createRecorder({ always_on: {} });
    const linksOf = (count: number) => {
      const parts = Array.from({ length: count }, () => createTestBatch());
      for (const part of parts) recorder.received("otlp", part);
      recorder.sending("otlp_grpc", merged([createTestBatch(), ...parts]))?.();
      return spans.pop()?.links.length;
    };
    assert.equal(linksOf(LINKS_MAX + 1), LINKS_MAX, "the first one is the parent");
    assert.equal(linksOf(LINKS_MAX + 5), LINKS_MAX);
    assert.equal(recorder.sending("otlp_grpc", merged([createTestBatch()])), undefined);
  });
});
