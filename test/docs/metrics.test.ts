import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { startRedis, waitUntil } from "@inode-gateway/testkit";
import { Executable } from "../e2e/executable.js";
import { tableRows } from "./markdown-table.js";
import { sectionOf } from "./marked-section.js";
import { metricSections } from "./metric-table.js";
import { readText, repositoryFiles } from "./repository.js";

interface Documented {
  readonly kind: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** What docs/metrics.md says of each metric, by name. */
function documentedMetrics(): ReadonlyMap<string, Documented> {
  const page = readText("docs/metrics.md");
  const rows = Object.keys(metricSections).flatMap((name) =>
    tableRows(sectionOf("docs/metrics.md", page, name)),
  );
  return new Map(
    rows.map((row) => {
      const [name = "", kind = "", labels = ""] = row;
      const documented = { kind, labels: namesIn(labels), help: row.at(-1) ?? "" };
      return [name.replaceAll("`", ""), documented];
    }),
  );
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

/** Every metric of a page in the Prometheus text format, by name. */
function shownMetrics(page: string): ReadonlyMap<string, Documented> {
  const shown = new Map<string, Documented>();
  for (const [, name = "", help = ""] of page.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    const kind = new RegExp(`^# TYPE ${name} (\\S+)$`, "m").exec(page)?.[1] ?? "none";
    const series = page.matchAll(new RegExp(`^${name}(?:_bucket)?\\{([^}]*)\\}`, "gm"));
    const labels = new Set(
      [...series].flatMap(([, text = ""]) =>
        [...text.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = ""]) => label),
      ),
    );
    labels.delete("le");
    shown.set(name, { kind, labels: [...labels], help });
  }
  return shown;
}

/** Fails unless the page's metrics are all documented as they are; gives their names. */
function assertDocumented(page: string): readonly string[] {
  const documented = documentedMetrics();
  for (const [name, { help, kind, labels }] of shownMetrics(page)) {
    const expected = documented.get(name);
    assert.ok(expected !== undefined, `${name} is in docs/metrics.md`);
    assert.equal(expected.kind, kind, name);
    assert.equal(expected.help, help, name);
    // Without a series there are no labels to see.
    if (labels.length > 0) assert.deepEqual([...labels].sort(), [...expected.labels].sort(), name);
  }
  return [...shownMetrics(page).keys()];
}

/** A cgroup tree of one pretended container: no privilege and no real cgroup is needed. */
function emptyTree(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "metrics-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const everything = (cgroupRoot: string) => `
extensions:
  memory_registry:
  inode_reporter: { registry: memory_registry, hierarchy: v2, cgroup_root: ${cgroupRoot} }
  health_check: { endpoint: "127.0.0.1:0" }
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } }
processors:
  inode_resolver: { registry: memory_registry }
  batch: { timeout: 0s }
exporters:
  debug:
  nop:
  otlp_http: { endpoint: "http://127.0.0.1:1" }
  otlp_grpc: { endpoint: "127.0.0.1:1", tls: { insecure: true } }
service:
  extensions: [memory_registry, inode_reporter, health_check]
  telemetry: { metrics: { address: "127.0.0.1:0" } }
  pipelines:
    traces:
      receivers: [otlp]
      processors: [inode_resolver, batch]
      exporters: [debug, nop, otlp_http, otlp_grpc]
    metrics: { receivers: [otlp], processors: [inode_resolver, batch], exporters: [nop] }
    logs: { receivers: [otlp], processors: [inode_resolver, batch], exporters: [nop] }
    profiles: { receivers: [otlp], exporters: [nop] }
`;

const request = JSON.stringify({
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: "container.cgroup.inode", value: { intValue: "4321" } },
          {
            key: "host.boot.id",
            value: { stringValue: "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa" },
          },
        ],
      },
      scopeSpans: [
        {
          spans: [
            {
              name: "a",
              traceId: "5b8efff798038103d269b633813fc60c",
              spanId: "eee19b7ec3c1b174",
            },
          ],
        },
      ],
    },
  ],
});

suite("every metric that is shown is documented as it is", () => {
  test("by a gateway with every component that needs no other server", async (t) => {
    const gateway = new Executable("inode-gateway", [
      "--config",
      `yaml:${everything(emptyTree(t))}`,
    ]);
    t.after(() => gateway.stop());
    await gateway.logged(({ msg }) => msg.startsWith("Everything is ready"), "its readiness");
    const http = gateway.log().find((line) => line["transport"] === "http");
    const answer = await fetch(`http://${String(http?.["endpoint"])}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: request,
    });
    assert.equal(answer.status, 200);
    const metrics = gateway.log().find((line) => line["path"] === "/metrics");
    const readPage = async () =>
      (await fetch(`http://${String(metrics?.["endpoint"])}/metrics`)).text();
    await waitUntil(async () => /^otelcol_exporter_sent_spans\{.*\} 1$/m.test(await readPage()));
    const names = assertDocumented(await readPage());
    for (const name of [
      "inode_gateway_accepted_items",
      "inode_gateway_registry_available",
      "inode_gateway_reporter_ready",
      "inode_reporter_containers",
      "otelcol_exporter_queue_size",
      "otelcol_process_memory_rss",
      "otelcol_processor_incoming_items",
      "otelcol_receiver_accepted_spans",
      "target_info",
    ]) {
      assert.ok(names.includes(name), `${name} is shown`);
    }
  });

  test("by a reporter", async (t) => {
    await using redis = await startRedis();
    const settings = [
      "reporter.hierarchy=v2",
      `reporter.cgroup_root=${emptyTree(t)}`,
      `registry.redis.endpoint=${redis.endpoint}`,
      "telemetry.metrics.endpoint=127.0.0.1:0",
      "health.endpoint=127.0.0.1:0",
    ];
    const reporter = new Executable(
      "inode-reporter",
      settings.flatMap((set) => ["--set", set]),
    );
    t.after(() => reporter.stop());
    const { metrics } = await reporter.logged(
      ({ msg }) => msg === "inode-reporter is running",
      "its readiness",
    );
    const names = assertDocumented(await (await fetch(`http://${String(metrics)}/metrics`)).text());
    for (const name of ["inode_reporter_containers", "inode_reporter_process_uptime"]) {
      assert.ok(names.includes(name), `${name} is shown`);
    }
  });
});

test("no document names a metric that does not exist", () => {
  const names = documentedMetrics();
  const unknown = repositoryFiles(".md").flatMap((path) =>
    [
      ...readText(path).matchAll(
        /`((?:otelcol|inode_gateway|inode_reporter)_[a-z0-9_]*[a-z0-9])[`{]/g,
      ),
    ]
      .map(([, name = ""]) => name)
      .filter((name) => !names.has(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(unknown, []);
});
