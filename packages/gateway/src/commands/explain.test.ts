import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { run, writeFile } from "../command-line.rig.js";

const bootId = "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa";
const lines = [
  { boot_id: bootId, inode: 5, container_id: "c5", "k8s.node.name": "worker-1" },
  { boot_id: bootId, inode: 6, container_id: "c6", "container.name": "a\u001b[31mb" },
];

function configOf(context: TestContext): string[] {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const file = writeFile(context, "mappings.jsonl", text);
  return ["--config", `yaml:extensions::memory_registry: { file: "${file}" }`];
}

suite("explain", () => {
  test("names the step that answers, the container and what is known of it", async (t) => {
    const ended = await run([
      ...["explain", ...configOf(t)],
      ...["--boot-id", bootId, "--inode", "5"],
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(
      ended.stdout,
      `1. boot_id: inode 5 on boot ID ${bootId} is container c5\n` +
        "=> resolved by step 1 (boot_id): container c5\n" +
        "   k8s.node.name: worker-1\n",
    );
  });

  test("says why no step answers, and what to do; that is an answer too, exit code 0", async (t) => {
    const config = configOf(t);
    const unknown = await run(["explain", ...config, "--boot-id", bootId, "--inode", "7"]);
    assert.equal(unknown.code, 0);
    assert.match(unknown.stdout, /^1\. boot_id: inode 7 on boot ID .* is not published.*\n2\. /);
    assert.match(unknown.stdout, /^=> unresolved \(unknown_inode\): /m);
    const foreign = await run([
      ...["explain", ...config, "--inode", "5"],
      ...["--boot-id", "ffffffff-ffff-4fff-8fff-ffffffffffff"],
    ]);
    assert.match(foreign.stdout, /^=> unresolved \(unknown_node\): .*inode-reporter/m);
    const text = await run(["explain", ...config, "--attribute", "host.name=x"]);
    assert.match(text.stdout, /^=> unresolved \(no_inode\): /m);
  });

  test("reads the inode from the attributes that the resolver of this registry is told to", async (t) => {
    const config = configOf(t);
    const resolvers = [
      ...["--config", "yaml:processors::inode_resolver/other: { registry: redis_registry }"],
      ...[
        "--config",
        "yaml:processors::inode_resolver: { registry: memory_registry, inode_attributes: [my.inode] }",
      ],
    ];
    const args = ["--boot-id", bootId, "--attribute", "my.inode=5"];
    const known = await run(["explain", ...config, ...resolvers, ...args]);
    assert.match(known.stdout, /^=> resolved by step 1 .* c5$/m);
    const unknown = await run(["explain", ...config, ...args]);
    assert.match(unknown.stdout, /^=> unresolved \(no_inode\)/m);
    const byDefault = await run([
      ...["explain", ...config, "--boot-id", bootId],
      ...["--attribute", "datadog.container.cgroup_inode=5"],
    ]);
    assert.match(byDefault.stdout, /^=> resolved by step 1 .* c5$/m);
    const wrong = ["--set", "processors.inode_resolver.registri=x"];
    const refused = await run(["explain", ...config, ...resolvers, ...wrong, ...args]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /processors::inode_resolver.*registri/);
  });

  test("what others wrote cannot give orders to the terminal", async (t) => {
    const args = ["--boot-id", bootId, "--inode", "6"];
    const { stdout } = await run(["explain", ...configOf(t), ...args]);
    assert.ok(stdout.includes("   container.name: a\\u001b[31mb\n"));
    assert.ok(!stdout.includes("\u001b"));
  });
});
