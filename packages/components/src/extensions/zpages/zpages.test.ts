import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import type { PipelineOverview } from "@inode-gateway/contract";
import { createTestSettings, runLifecycleSuite, TestHost } from "@inode-gateway/testkit";
import { zpagesConfig } from "./config.js";
import { zpages } from "./factory.js";
import { ROWS_MAX } from "./html.js";
import { Zpages } from "./zpages.js";

const overview: PipelineOverview = {
  id: "traces/backend",
  signal: "traces",
  receivers: ["otlp"],
  processors: ["memory_limiter", "batch"],
  exporters: ["otlp_grpc"],
  entrance: { offered: 107, accepted: 100, refused: 5, inFlight: 2 },
  identities: [
    {
      id: "otlp_grpc",
      accepted: 102,
      recovered: 11,
      deliveredButRefused: 3,
      deliveredEarly: 4,
      delivered: 90,
      dropped: 9,
      persisted: 8,
      held: 7,
      inFlight: 6,
      unaccounted: 0,
    },
  ],
};

class PipelineHost extends TestHost {
  overviews: readonly PipelineOverview[] = [overview];

  pipelines(): readonly PipelineOverview[] {
    return this.overviews;
  }
}

async function startPages(context: TestContext) {
  const settings = createTestSettings({ id: "zpages", kind: "extension" });
  const extension = new Zpages(settings, zpagesConfig.parse({ endpoint: "127.0.0.1:0" }));
  const host = new PipelineHost();
  await extension.start(host);
  context.after(async () => {
    const stopped = extension.shutdown(settings.clock.nowMs() + 1_000);
    settings.clock.advance(1_000);
    await stopped;
  });
  const get = async (path: string, method = "GET") => {
    const headers = { connection: "close" };
    const answer = await fetch(`http://${extension.address}${path}`, { headers, method });
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  };
  return { get, host, settings };
}

/** The cells of all rows of all tables. */
function cells(body: string): string[][] {
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = ""]) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = ""]) => cell),
  );
}

suite("zpages", () => {
  test("pipelinez shows what each pipeline is made of and its accounting identity", async (t) => {
    const { get } = await startPages(t);
    const { body, status } = await get("/debug/pipelinez");
    assert.equal(status, 200);
    assert.match(body, /<h2>traces\/backend<\/h2>/);
    const rows = cells(body);
    assert.deepEqual(rows[1], ["traces", "otlp", "memory_limiter, batch", "otlp_grpc"]);
    assert.deepEqual(rows[3], ["107", "100", "5", "2"]);
    const heads = rows[4]?.slice(1) ?? [];
    const values = rows[5]?.slice(1).map(Number) ?? [];
    const term = (name: string) => values[heads.indexOf(name)] ?? Number.NaN;
    assert.equal(rows[5]?.[0], "otlp_grpc");
    assert.equal(
      term("accepted") +
        term("recovered") +
        term("delivered but refused") +
        term("delivered early"),
      ["delivered", "dropped", "persisted", "held", "in flight", "unaccounted"].reduce(
        (sum, name) => sum + term(name),
        0,
      ),
    );
  });

  test("servicez names the program, extensionz the extensions with their reasons", async (t) => {
    const { get, host, settings } = await startPages(t);
    host.statuses = [
      { kind: "extension", id: "file_storage", state: "ok", sinceUnixMs: 0 },
      { kind: "exporter", id: "debug", signal: "logs", state: "ok", sinceUnixMs: 0 },
    ];
    const service = (await get("/debug/servicez")).body;
    assert.ok(service.includes(`<td>${settings.build.command}</td>`));
    assert.ok(service.includes(`<td>${process.versions.node}</td>`));
    assert.ok(cells(service).some(([state, count]) => state === "ok" && count === "2"));
    const extensions = cells((await get("/debug/extensionz")).body);
    assert.deepEqual(extensions.slice(1), [
      ["extension", "file_storage", "", "ok", "", "1970-01-01T00:00:00.000Z"],
    ]);
  });

  // Scenario: an ID and a reason hold what would be markup and script.
  test("what is shown is escaped, and the page may load and run nothing", async (t) => {
    const { get, host } = await startPages(t);
    const bad = `<script>alert("x")</script>&'`;
    host.statuses = [
      { kind: "extension", id: bad, state: "permanent_error", reason: bad, sinceUnixMs: 0 },
    ];
    host.overviews = [{ ...overview, id: bad, receivers: [bad] }];
    const escaped = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;";
    for (const path of ["/debug/servicez", "/debug/pipelinez", "/debug/extensionz"]) {
      const { body, headers } = await get(path);
      assert.ok(!body.includes("<script"), path);
      assert.ok(body.includes(escaped), path);
      assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'/);
    }
  });

  test("shows the last row within the limit and counts those beyond", async (t) => {
    const { get, host } = await startPages(t);
    const statusesOf = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...{ kind: "extension" as const, id: `e/${index}`, state: "ok" as const },
        sinceUnixMs: 0,
      }));
    host.statuses = statusesOf(ROWS_MAX);
    const all = (await get("/debug/extensionz")).body;
    assert.ok(all.includes(`e/${ROWS_MAX - 1}`) && !all.includes("more</td>"));
    host.statuses = statusesOf(ROWS_MAX + 1);
    const cut = (await get("/debug/extensionz")).body;
    assert.ok(!cut.includes(`e/${ROWS_MAX}<`) && cut.includes("and 1 more</td>"));
  });

  test("is there to be read only, and says where the pages are", async (t) => {
    const { get, settings } = await startPages(t);
    const posted = await get("/debug/servicez", "POST");
    assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
    const missing = await get("/debug/featurez");
    assert.equal(missing.status, 404);
    assert.match(missing.body, /\/debug\/servicez, \/debug\/pipelinez, \/debug\/extensionz/);
    assert.equal((await get("/debug/__proto__")).status, 404);
    assert.deepEqual(
      await get("/debug/extensionz", "HEAD").then(({ body, status }) => [body, status]),
      ["", 200],
    );
    const counted = (status: string) =>
      settings.meter.sum("inode_gateway_zpages_requests", { status });
    assert.deepEqual([counted("200"), counted("404"), counted("405")], [1, 2, 1]);
  });
});

test("a Collector's section loads, and its default is local", () => {
  assert.equal(zpagesConfig.parse({}).endpoint, "localhost:55679");
  const parsed = zpagesConfig.parse({
    ...{ endpoint: ":55679", transport: "tcp" },
    expvar: { enabled: true },
  });
  assert.equal(parsed.endpoint, ":55679");
  assert.equal(zpagesConfig.safeParse({ endpoint: "localhost" }).success, false);
});

runLifecycleSuite(zpages, { config: { endpoint: "127.0.0.1:0" } });
