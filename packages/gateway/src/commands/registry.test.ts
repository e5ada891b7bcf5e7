import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { createRedisRegistry, type Mapping, type NodeRecord } from "@inode-gateway/registry";
import { type RedisServer, startRedis, waitUntil } from "@inode-gateway/testkit";
import { run, writeFile } from "../command-line.rig.js";

const bootIds = [
  "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa",
  "0b7d1c2e-1111-4a39-8f0d-6d1c83e0b7bb",
] as const;

const nodes: readonly NodeRecord[] = [
  {
    bootId: bootIds[0],
    nodeName: "worker-1",
    hostName: "worker-1.example",
    hostId: "machine-1",
    kernelRelease: "6.8.0",
    reporterVersion: "0.1.0",
    hierarchy: "v2",
    devices: [38],
  },
  {
    bootId: bootIds[1],
    hostName: "old-host",
    kernelRelease: "4.19.0",
    reporterVersion: "0.1.0",
    hierarchy: "hybrid",
    devices: [30, 31],
  },
];

const containerId = (index: number) => index.toString(16).padStart(64, "0");

/** More mappings than one bucket, one reply and one import batch hold. */
const mappingsOf: readonly (readonly Mapping[])[] = [
  Array.from({ length: 1_200 }, (_, index) => ({
    inode: 1_000 + index,
    record: {
      containerId: containerId(index),
      attributes: { "container.name": `näme ${index}`, "k8s.container.restart_count": index },
    },
  })),
  [
    { inode: 77, device: 30, record: { containerId: containerId(7_000), attributes: {} } },
    { inode: 77, device: 31, record: { containerId: containerId(7_001), attributes: {} } },
  ],
];

async function redisOf(context: TestContext): Promise<{ redis: RedisServer; args: string[] }> {
  const redis = await startRedis();
  context.after(() => redis.stop());
  const config = `yaml:extensions::redis_registry: { endpoint: "${redis.endpoint}" }`;
  return { redis, args: ["--config", config] };
}

async function filledRedis(context: TestContext) {
  const { redis, args } = await redisOf(context);
  const registry = createRedisRegistry({ endpoint: redis.endpoint });
  context.after(() => registry.stop());
  await registry.start();
  await waitUntil(() => registry.availability.isAvailable);
  for (const [index, node] of nodes.entries()) {
    await registry.publish(node, { published: mappingsOf[index] ?? [], vanished: [] });
  }
  return { redis, registry, args };
}

const sortedLines = (text: string) => text.trimEnd().split("\n").sort();

suite("registry", () => {
  test("nodes and list show what is there, as tables", async (t) => {
    const { args } = await filledRedis(t);
    const listed = await run(["registry", "nodes", ...args]);
    assert.equal(listed.code, 0, listed.stderr);
    const [head, ...rows] = listed.stdout.trimEnd().split("\n");
    assert.match(head ?? "", /^BOOT ID +NODE +HOST +CGROUPS +MAPPINGS +HEARTBEAT +STATE$/);
    assert.equal(rows.length, 2);
    const worker = rows.find((row) => row.startsWith(bootIds[0]));
    assert.match(worker ?? "", /worker-1 +worker-1\.example +v2 +1200 +\d s ago +alive$/);
    const old = rows.find((row) => row.startsWith(bootIds[1]));
    assert.match(old ?? "", /- +old-host +hybrid +2 +\d s ago +alive$/);

    const mappings = await run([
      "registry",
      "list",
      "--boot-id",
      bootIds[1].toUpperCase(),
      ...args,
    ]);
    assert.deepEqual(mappings.stdout.trimEnd().split("\n").sort(), [
      `${bootIds[1]}  77     30      ${containerId(7_000)}  -`,
      `${bootIds[1]}  77     31      ${containerId(7_001)}  -`,
      `BOOT ID                               INODE  DEVICE  CONTAINER${" ".repeat(57)}ATTRIBUTES`,
    ]);
    const all = await run(["registry", "list", ...args]);
    assert.equal(all.stdout.split("\n").length, 1 + 1_202 + 1);
    assert.ok(all.stdout.includes("container.name=näme 5 k8s.container.restart_count=5"));
  });

  test("an unknown boot ID is an error, not an empty table", async (t) => {
    const { args } = await redisOf(t);
    for (const action of ["nodes", "list", "export"]) {
      const ended = await run(["registry", action, "--boot-id", "nope", ...args]);
      assert.deepEqual(ended, {
        code: 1,
        stdout: "",
        stderr: 'error: no node has the boot ID "nope"; "registry nodes" lists all of them\n',
      });
    }
  });

  // Scenario: one Redis is exported, the other imports it twice, from standard input whose pieces cut
  // lines and characters in two, and from a file.
  test("export and import move everything from one Redis to another, node names included", async (t) => {
    const source = await filledRedis(t);
    const target = await redisOf(t);
    const exported = await run(["registry", "export", ...source.args]);
    assert.equal(exported.code, 0, exported.stderr);
    assert.equal(sortedLines(exported.stdout).length, 1_202);
    const bytes = Buffer.from(exported.stdout);
    const stdin = Array.from({ length: Math.ceil(bytes.length / 997) }, (_, index) =>
      bytes.subarray(index * 997, (index + 1) * 997),
    );
    const imported = await run(["registry", "import", ...target.args], { stdin });
    assert.deepEqual(imported, {
      code: 0,
      stdout: "",
      stderr: "imported 1202 mappings of 2 nodes\n",
    });
    const again = await run(["registry", "export", ...target.args]);
    assert.deepEqual(sortedLines(again.stdout), sortedLines(exported.stdout));
    const listed = await run(["registry", "nodes", ...target.args]);
    assert.match(listed.stdout, /worker-1 +worker-1\.example +v2 +1200 /);

    const file = writeFile(t, "export.jsonl", exported.stdout);
    const fromFile = await run(["registry", "import", ...target.args, file]);
    assert.equal(fromFile.stderr, "imported 1202 mappings of 2 nodes\n");
    const explained = await run([
      "explain",
      ...target.args,
      "--node-name",
      "worker-1",
      "--inode",
      "1001",
    ]);
    assert.match(explained.stdout, new RegExp(`=> resolved by step 2 .*${containerId(1)}`));
  });

  test("the node's own reporter goes on after an import, it is not taken for a rival", async (t) => {
    const source = await filledRedis(t);
    const target = await redisOf(t);
    const { stdout } = await run(["registry", "export", ...source.args]);
    await run(["registry", "import", ...target.args], { stdin: [Buffer.from(stdout)] });
    const reporter = createRedisRegistry({ endpoint: target.redis.endpoint });
    t.after(() => reporter.stop());
    await reporter.start();
    await waitUntil(() => reporter.availability.isAvailable);
    const [node] = nodes;
    const [mapping] = mappingsOf[0] ?? [];
    assert.ok(node !== undefined && mapping !== undefined);
    await reporter.reconcile(node, [mapping]);
    const states = await reporter.nodes();
    const state = states.find(({ node: { bootId } }) => bootId === node.bootId);
    assert.equal(state?.isConflicted, false);
    assert.equal(state?.node.kernelRelease, "6.8.0", "the reporter's own record is stored");
    await reporter.stop();
  });

  test("a wrong line is named and nothing of the import is written", async (t) => {
    const { args } = await redisOf(t);
    const good = { boot_id: bootIds[0], inode: 5, container_id: "a" };
    const cases: readonly (readonly [string, RegExp])[] = [
      ["{oops", /:3: line is not JSON/],
      [JSON.stringify({ ...good, inode: 2 }), /:3: `inode` is 2, it must be an integer from 3/],
      [JSON.stringify({ ...good, boot_id: "{}" }), /:3: `boot_id` is "\{\}"/],
      [JSON.stringify({ inode: 5 }), /:3: `boot_id` is missing/],
      [
        JSON.stringify({ ...good, device: 4, inode: 6 }),
        /:3: boot ID .* with and without `device`/,
      ],
      [JSON.stringify({ ...good, container_id: "b" }), /:3: inode 5 is given another container/],
      ["x".repeat(524_289), /:3: line is longer than 524288 characters/],
    ];
    for (const [line, message] of cases) {
      const text = `${JSON.stringify(good)}\n\n${line}\n`;
      const ended = await run(["registry", "import", ...args], { stdin: [Buffer.from(text)] });
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, message);
      assert.match(ended.stderr, /^error: standard input:3: /);
    }
    const file = writeFile(t, "lines.jsonl", "[]\n");
    const fromFile = await run(["registry", "import", ...args, file]);
    assert.equal(fromFile.stderr, `error: ${file}:1: line is [], it must be a JSON object\n`);
    const missing = await run(["registry", "import", ...args, "/nowhere/lines"]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^error: ENOENT.*\/nowhere\/lines/);
    assert.match((await run(["registry", "nodes", ...args])).stdout, /^BOOT ID.*\n$/);
  });

  test("importing nothing writes nothing", async (t) => {
    const { args } = await redisOf(t);
    const ended = await run(["registry", "import", ...args, "-"]);
    assert.deepEqual(ended, { code: 0, stdout: "", stderr: "imported 0 mappings of 0 nodes\n" });
  });

  test("a registry from a file can be looked into, but not written to", async (t) => {
    const source = await filledRedis(t);
    const { stdout } = await run(["registry", "export", ...source.args]);
    const file = writeFile(t, "mappings.jsonl", stdout);
    const args = ["--config", `yaml:extensions::memory_registry: { file: "${file}" }`];
    const exported = await run(["registry", "export", ...args]);
    assert.deepEqual(sortedLines(exported.stdout), sortedLines(stdout));
    assert.match((await run(["registry", "nodes", ...args])).stdout, /worker-1 .* 1200 /);
    const stdin = [Buffer.from(stdout)];
    const imported = await run(["registry", "import", ...args], { stdin });
    assert.equal(imported.code, 1);
    assert.match(imported.stderr, /"memory_registry" takes its mappings from its `file` only/);
    const wrong = writeFile(t, "wrong.jsonl", "{}\n");
    const refused = await run([
      ...["registry", "nodes"],
      ...["--config", `yaml:extensions::memory_registry: { file: "${wrong}" }`],
    ]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /`file` cannot be used: .*wrong\.jsonl:1: `boot_id` is missing/);
  });
});

suite("which registry", () => {
  test("several need --registry, which must name one of them", async (t) => {
    const { redis } = await filledRedis(t);
    const args = [
      ...["--config", `yaml:extensions::redis_registry/a: { endpoint: "${redis.endpoint}" }`],
      ...["--config", `yaml:extensions::redis_registry/b: { endpoint: "redis://127.0.0.1:1" }`],
    ];
    const several = await run(["registry", "nodes", ...args]);
    assert.equal(several.code, 2);
    assert.match(
      several.stderr,
      /there are several registries \(redis_registry\/a, redis_registry\/b\): choose with --registry/,
    );
    const wrong = await run(["registry", "nodes", ...args, "--registry", "redis_registry"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /no registry is called "redis_registry" \(registries: /);
    const chosen = await run(["registry", "nodes", ...args, "--registry", "redis_registry/a"]);
    assert.equal(chosen.code, 0);
    assert.match(chosen.stdout, /worker-1/);
  });

  test("without one that can be asked from here it says what to configure, exit code 2", async () => {
    const none = await run(["registry", "nodes", "--config", "yaml:extensions::health_check: {}"]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /extensions: no redis_registry or memory_registry is configured/);
    const inside = await run([
      "registry",
      "nodes",
      "--config",
      "yaml:extensions::memory_registry:",
    ]);
    assert.equal(inside.code, 2);
    assert.match(
      inside.stderr,
      /extensions::memory_registry: .*use a redis_registry, or set `file`/,
    );
    const typo = await run([
      "registry",
      "nodes",
      "--config",
      "yaml:extensions::redis_registry::endpont: x",
    ]);
    assert.equal(typo.code, 2);
    assert.match(typo.stderr, /extensions::redis_registry.*endpont.*endpoint/);
    const list = await run(["registry", "nodes", "--config", "yaml:extensions: []"]);
    assert.match(list.stderr, /^error: extensions: expected a map\n$/);
  });

  test("one that is away ends the command within its limit, with the reason, exit code 1", async () => {
    const endpoint = '"redis://127.0.0.1:1"';
    const config = `yaml:extensions::redis_registry: { endpoint: ${endpoint}, connect_timeout: 200ms, command_timeout: 100ms }`;
    const startMs = performance.now();
    const ended = await run(["registry", "export", "--config", config]);
    const tookMs = performance.now() - startMs;
    assert.equal(ended.code, 1);
    assert.equal(ended.stdout, "");
    assert.match(
      ended.stderr,
      /^error: registry "redis_registry" is not available after 300 ms: nothing listens at redis:\/\/127\.0\.0\.1:1 /,
    );
    assert.ok(tookMs >= 290 && tookMs < 5_000, `${tookMs} ms`);
  });

  test("a wrong password is the reason, and is not printed", async (t) => {
    const redis = await startRedis({ password: "right-password" });
    t.after(() => redis.stop());
    const config = `yaml:extensions::redis_registry: { endpoint: "${redis.endpoint}", password: wrong-password, connect_timeout: 300ms }`;
    const ended = await run(["registry", "nodes", "--config", config]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /password/);
    assert.doesNotMatch(ended.stderr, /wrong-password|right-password/);
  });
});
