import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseSection } from "@inode-gateway/config";
import { otlpHttpConfig } from "./config.js";
import { signalUrl } from "./signal-url.js";

const path = ["exporters", "otlp_http"];
const parse = (section: unknown) => parseSection(otlpHttpConfig, section, path);

function accepted(section: unknown) {
  const parsed = parse(section);
  if ("problems" in parsed) assert.fail(JSON.stringify(parsed.problems));
  return parsed.value;
}

suite("configuration of the otlp_http exporter", () => {
  test("has the Collector's defaults, gzip and at most 100 connections", () => {
    const { retry_on_failure, sending_queue, tls, ...rest } = accepted({ endpoint: "http://a" });
    assert.deepEqual(rest, {
      endpoint: "http://a",
      encoding: "proto",
      compression: "gzip",
      compression_params: {},
      headers: {},
      timeout: 30_000,
      max_conns_per_host: 100,
      idle_conn_timeout: 90_000,
      disable_keep_alives: false,
    });
    assert.equal(retry_on_failure.enabled && sending_queue.enabled && !tls.insecure, true);
  });

  for (const [section, expected] of [
    [{}, /^exporters::otlp_http::endpoint: at least one endpoint must be specified/],
    [{ endpoint: "backend:4318" }, /::endpoint: is not an http:\/\/ or https:\/\/ URL/],
    [{ traces_endpoint: "x" }, /::traces_endpoint/],
    [{ endpoint: "http://a", compression: "lz4" }, /::compression/],
    [{ endpoint: "http://a", encoding: "xml" }, /::encoding/],
    [
      { endpoint: "http://a", compression_params: { level: 10 } },
      /::level: must be -1 to 9 for gzip/,
    ],
    [
      { endpoint: "http://a", compression: "snappy", compression_params: { level: 1 } },
      /::compression_params::level: snappy has no levels/,
    ],
    [
      { endpoint: "http://a", proxy_url: "socks5://user:canary@p:1" },
      /^(?!.*canary).*proxy_url: is not/,
    ],
    [
      { endpoint: "http://a", middlewares: [{ id: "x" }] },
      /::middlewares: there are no middlewares/,
    ],
    [{ endpoint: "http://a", auth: {} }, /::auth::authenticator/],
  ] as const) {
    test(`refuses ${JSON.stringify(section)}`, () => {
      const parsed = parse(section);
      if (!("problems" in parsed)) assert.fail("accepted");
      const text = parsed.problems.map(({ message, path: at }) => `${at}: ${message}`).join("\n");
      assert.match(text, expected);
    });
  }

  test("takes the keys of the Collector that only Go's transport knows", () => {
    accepted({
      endpoint: "http://a",
      max_idle_conns: 100,
      max_idle_conns_per_host: 10,
      force_attempt_http2: false,
      http2_read_idle_timeout: "10s",
      http2_ping_timeout: "10s",
      read_buffer_size: 123,
      write_buffer_size: 345,
      middlewares: [],
      cookies: { enabled: true },
      proxy_url: "",
      auth: { authenticator: "bearertokenauth" },
    });
  });

  test("puts a signal's path below the endpoint, whatever it ends with", () => {
    for (const endpoint of ["http://a:1/x", "http://a:1/x/", "http://a:1/x//"]) {
      assert.equal(signalUrl(accepted({ endpoint }), "traces").href, "http://a:1/x/v1/traces");
    }
    const own = accepted({ endpoint: "http://a", profiles_endpoint: "https://b/p/" });
    assert.equal(signalUrl(own, "profiles").href, "https://b/p/");
    assert.equal(signalUrl(own, "logs").href, "http://a/v1/logs");
  });

  test("says what is missing for a signal without an endpoint", () => {
    const config = accepted({ traces_endpoint: "http://a/t" });
    assert.throws(() => signalUrl(config, "logs"), {
      message: "`logs_endpoint` or `endpoint` must be set to export logs",
    });
  });
});
