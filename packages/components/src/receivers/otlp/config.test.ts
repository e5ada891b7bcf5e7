import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseSection } from "@inode-gateway/config";
import { otlpReceiverConfig } from "./config.js";

const path = ["receivers", "otlp"];

function accepted(section: unknown) {
  const parsed = parseSection(otlpReceiverConfig, section, path);
  if ("problems" in parsed) assert.fail(JSON.stringify(parsed.problems));
  return parsed.value;
}

function problemsOf(section: unknown): string[] {
  const parsed = parseSection(otlpReceiverConfig, section, path);
  if (!("problems" in parsed)) assert.fail("accepted");
  return parsed.problems.map(({ message, path: at }) => `${at}: ${message}`);
}

suite("configuration of the otlp receiver", () => {
  test("has the Collector's defaults, and 64 MiB on both protocols", () => {
    const { max_in_flight_bytes, protocols } = accepted({ protocols: { grpc: null, http: null } });
    assert.equal(max_in_flight_bytes, 268_435_456);
    assert.deepEqual(protocols.grpc, {
      endpoint: "localhost:4317",
      transport: "tcp",
      max_recv_msg_size_mib: 64,
      max_connections: 10_000,
      read_timeout: 60_000,
      keepalive: { enforcement_policy: { min_time: 300_000, permit_without_stream: false } },
      middlewares: [],
      include_metadata: false,
    });
    assert.deepEqual(protocols.http, {
      endpoint: "localhost:4318",
      transport: "tcp",
      max_connections: 10_000,
      keepalive: { server_parameters: {} },
      middlewares: [],
      max_request_body_size: 67_108_864,
      response_headers: {},
      include_metadata: false,
      read_timeout: 60_000,
      read_header_timeout: 60_000,
      write_timeout: 0,
      idle_timeout: 0,
      keep_alives_enabled: true,
      traces_url_path: "/v1/traces",
      metrics_url_path: "/v1/metrics",
      logs_url_path: "/v1/logs",
    });
  });

  test("turns a protocol on by its mere presence, and off by its absence", () => {
    for (const section of [{ protocols: { grpc: null } }, { protocols: { grpc: {} } }]) {
      assert.equal(accepted(section).protocols.http, undefined);
      assert.equal(accepted(section).protocols.grpc?.endpoint, "localhost:4317");
    }
  });

  for (const section of [null, {}, { protocols: null }, { protocols: {} }]) {
    test(`demands a protocol in ${JSON.stringify(section)}`, () => {
      assert.match(
        problemsOf(section).join("\n"),
        /^receivers::otlp::protocols: must specify at least one protocol when using the OTLP receiver/,
      );
    });
  }

  for (const [section, expected] of [
    [{ protocols: { htttp: {} } }, /^receivers::otlp::protocols.*htttp.*http/],
    [{ protocols: { grpc: { auth: {} } } }, /^receivers::otlp::protocols::grpc.*auth/],
    [
      { protocols: { http: { middlewares: ["memory_limiter"] } } },
      /^receivers::otlp::protocols::http::middlewares::0/,
    ],
    [{ protocols: { grpc: { max_connections: 0 } } }, /grpc::max_connections/],
    [
      { protocols: { grpc: { auth: { authenticator: "a", request_params: ["b"] } } } },
      /grpc::auth.*request_params/,
    ],
    [{ protocols: { http: { profiles_url_path: "/x" } } }, /profiles_url_path/],
    [{ protocols: { http: { compression_algorithms: ["lz4"] } } }, /compression_algorithms/],
    [{ protocols: { grpc: { endpoint: "localhost" } } }, /grpc::endpoint.*has no port/],
    [{ protocols: { http: { endpoint: "localhost:99999" } } }, /http::endpoint.*0 to 65535/],
    [{ protocols: { http: { endpoint: "::1:4318" } } }, /http::endpoint.*needs brackets/],
    [
      { protocols: { http: { traces_url_path: "/a b" } } },
      /traces_url_path.*invalid HTTP URL path/,
    ],
    [{ protocols: { http: { logs_url_path: "v1/traces" } } }, /logs_url_path.*another signal/],
    [{ protocols: { http: { tls: {} } } }, /http::tls.*certificate/],
    [{ protocols: { http: { read_timeout: "1 year" } } }, /read_timeout/],
    [{ protocols: { http: { read_timeout: "25000h" } } }, /read_timeout: must be at most/],
  ] as const) {
    test(`refuses ${JSON.stringify(section.protocols)}`, () => {
      assert.match(problemsOf(section).join("\n"), expected);
    });
  }

  test("takes a max_in_flight_bytes of one largest request and refuses a byte less", () => {
    const section = (bytes: number) => ({
      protocols: { grpc: { max_recv_msg_size_mib: 2 }, http: { max_request_body_size: 1 } },
      max_in_flight_bytes: bytes,
    });
    assert.equal(accepted(section(2_097_152)).max_in_flight_bytes, 2_097_152);
    assert.match(
      problemsOf(section(2_097_151)).join(),
      /^receivers::otlp::max_in_flight_bytes: is/,
    );
  });

  test("takes 0 and below for the default body size, and adds a path's missing slash", () => {
    const section = { protocols: { http: { max_request_body_size: -1, traces_url_path: "x" } } };
    assert.equal(accepted(section).protocols.http?.max_request_body_size, 67_108_864);
    assert.equal(accepted(section).protocols.http?.traces_url_path, "/x");
  });

  test("takes any text as endpoint of a unix socket", () => {
    const unix = { endpoint: "/run/otlp.sock", transport: "unix" };
    const { grpc, http } = accepted({ protocols: { grpc: unix, http: unix } }).protocols;
    assert.deepEqual([grpc?.endpoint, http?.endpoint], ["/run/otlp.sock", "/run/otlp.sock"]);
  });
});
