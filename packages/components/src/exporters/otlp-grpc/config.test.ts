import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as zlib from "node:zlib";
import { parseSection } from "@inode-gateway/config";
import { otlpGrpcConfig } from "./config.js";

const path = ["exporters", "otlp_grpc"];
const parse = (section: unknown) => parseSection(otlpGrpcConfig, section, path);

function problemsOf(section: unknown): string {
  const parsed = parse(section);
  if (!("problems" in parsed)) assert.fail("accepted");
  return parsed.problems.map(({ message, path: at }) => `${at}: ${message}`).join("\n");
}

suite("configuration of the otlp_grpc exporter", () => {
  test("has the Collector's defaults", () => {
    const parsed = parse({ endpoint: "backend:4317" });
    assert.ok("value" in parsed);
    const { retry_on_failure, sending_queue, tls, ...rest } = parsed.value;
    assert.deepEqual(rest, {
      endpoint: "backend:4317",
      compression: "gzip",
      headers: {},
      balancer_name: "round_robin",
      timeout: 5_000,
      wait_for_ready: false,
    });
    assert.equal(tls.insecure, false);
    assert.deepEqual(retry_on_failure, {
      enabled: true,
      initial_interval: 5_000,
      randomization_factor: 0.5,
      multiplier: 1.5,
      max_interval: 30_000,
      max_elapsed_time: 300_000,
    });
    assert.deepEqual(sending_queue, {
      enabled: true,
      num_consumers: 10,
      queue_size: 1_000,
      sizer: "requests",
      block_on_overflow: false,
      wait_for_result: false,
    });
  });

  for (const [section, expected] of [
    [{}, /^exporters::otlp_grpc::endpoint: requires a non-empty "endpoint"/],
    [{ endpoint: "" }, /::endpoint: requires a non-empty "endpoint"/],
    [{ endpoint: "backend" }, /::endpoint: is not host:port: "backend"/],
    [{ endpoint: "a:1", compression: "br" }, /::compression/],
    [{ endpoint: "a:1", middlewares: [{ id: "x" }] }, /::middlewares: there are no middlewares/],
    [{ endpoint: "a:1", auth: { authenticator: "" } }, /::auth::authenticator/],
    [{ endpoint: "a:1", timout: "1s" }, /timout.*timeout/],
    [{ endpoint: "a:1", sending_queue: { queue_size: 0 } }, /sending_queue::queue_size/],
    [{ endpoint: "a:1", retry_on_failure: { multiplier: 0.5 } }, /retry_on_failure::multiplier/],
  ] as const) {
    test(`refuses ${JSON.stringify(section)}`, () => {
      assert.match(problemsOf(section), expected);
    });
  }

  test("takes the keys of the Collector that only Go's transport knows", () => {
    const sizes = { read_buffer_size: 524_288, write_buffer_size: 524_288, middlewares: [] };
    assert.ok("value" in parse({ endpoint: "a:1", ...sizes }));
  });

  test("zstd is there or refused with the version that has it", () => {
    const section = { endpoint: "a:1", compression: "zstd" };
    if ("zstdCompressSync" in zlib) assert.ok("value" in parse(section));
    else assert.match(problemsOf(section), /::compression: "zstd" needs Node.js 22.15 or later/);
  });

  test("an endpoint that a substitution left empty is named as missing", () => {
    assert.match(problemsOf({ endpoint: null }), /requires a non-empty "endpoint"/);
  });
});
