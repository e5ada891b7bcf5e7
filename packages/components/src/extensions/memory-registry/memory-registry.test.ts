import assert from "node:assert/strict";
import {
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { type ContainerRegistry, formatMappingLine, registryLimits } from "@inode-gateway/registry";
import {
  createTestSettings,
  realClock,
  runLifecycleSuite,
  waitUntil,
} from "@inode-gateway/testkit";
import { memoryRegistryConfig } from "./config.js";
import { memoryRegistry } from "./factory.js";
import { MAPPING_FILE_BYTES_MAX, readMappingFile } from "./mapping-file.js";
import { MemoryRegistryExtension } from "./memory-registry.js";

const BOOT_ID = "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa";
const ID = "57bd9c30801f8ba75af549773090e8f6b25cebaa6d476316cf5585564a868c92";

function line(inode: number, containerId = ID, attributes = {}): string {
  return `${formatMappingLine(BOOT_ID, { inode, record: { containerId, attributes } })}\n`;
}

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "memory-registry-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startExtension(context: TestContext, config: Record<string, unknown>) {
  const settings = createTestSettings({
    id: "memory_registry",
    kind: "extension",
    clock: realClock,
  });
  const extension = new MemoryRegistryExtension(settings, memoryRegistryConfig.parse(config));
  context.after(() => extension.shutdown());
  await extension.start();
  const outcome = async (
    inode: number,
    registry: ContainerRegistry = extension.containerRegistry,
  ) => (await registry.lookup([{ bootId: BOOT_ID, inode }]))[0]?.outcome;
  return { extension, settings, outcome, registry: extension.containerRegistry };
}

suite("memory_registry", () => {
  test("without a file it is an empty registry that can be published to", async (context) => {
    const { outcome, registry } = await startExtension(context, {});
    assert.equal(await outcome(5), "unknown_node");
    const node = {
      bootId: BOOT_ID,
      hostName: "h",
      kernelRelease: "",
      reporterVersion: "",
      hierarchy: "v2",
      devices: [38],
    } as const;
    const record = { containerId: ID, attributes: {} };
    await registry.publish(node, { published: [{ inode: 5, record }], vanished: [] });
    assert.equal(await outcome(5), "found");
  });

  test("a file is loaded at the start, its nodes are found by name and count as alive", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    const attributes = { "k8s.node.name": "worker-1", "k8s.pod.name": "p" };
    writeFileSync(file, `${line(5, ID, attributes)}\n\r\n${line(6, ID, attributes)}`);
    const { outcome, registry, settings } = await startExtension(context, { file });
    assert.equal(await outcome(6), "found");
    assert.equal(await outcome(7), "unknown_inode");
    const [node] = await registry.nodesByName({ nodeName: "worker-1" });
    assert.equal(node?.bootId, BOOT_ID);
    assert.equal(settings.meter.sum("inode_gateway_registry_file_mappings"), 2);
    assert.deepEqual(settings.states.at(-1), { state: "ok", reason: undefined });
  });

  test("the nodes of a file stay alive for longer than heartbeat_timeout", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    writeFileSync(file, line(5));
    const { outcome } = await startExtension(context, { file, heartbeat_timeout: "150ms" });
    const endMs = performance.now() + 500;
    await waitUntil(async () => {
      assert.equal(await outcome(7), "unknown_inode", "and not stale_node");
      return performance.now() > endMs;
    });
  });

  for (const [how, replace] of [
    ["written anew", (file: string, text: string) => writeFileSync(file, text)],
    [
      "replaced by renaming",
      (file: string, text: string) => {
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
      },
    ],
  ] as const) {
    test(`a file that is ${how} is followed; what it no longer names vanishes`, async (context) => {
      const file = join(folderOf(context), "mappings.jsonl");
      writeFileSync(file, line(5));
      const { outcome, registry } = await startExtension(context, {
        file,
        poll_interval: "1h",
        retention: "1ms",
      });
      const events: unknown[] = [];
      registry.onPublished((event) => events.push(event));
      replace(file, line(6));
      await waitUntil(async () => (await outcome(6)) === "found");
      assert.deepEqual(events, [{ bootId: BOOT_ID, keys: [{ inode: 6 }] }]);
      assert.equal(await outcome(5), "found", "until the node's next heartbeat expires it");
    });
  }

  test("a poll finds what the folder's watch cannot see, such as another target of a link", async (context) => {
    const folder = folderOf(context);
    const elsewhere = folderOf(context);
    const target = join(elsewhere, "mappings.jsonl");
    const file = join(folder, "mappings.jsonl");
    writeFileSync(target, line(5));
    symlinkSync(target, file);
    const { outcome } = await startExtension(context, { file, poll_interval: "20ms" });
    writeFileSync(target, line(5) + line(6));
    await waitUntil(async () => (await outcome(6)) === "found");
  });

  test("a version with a bad line is refused as a whole and named with its line", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    writeFileSync(file, line(5));
    const { outcome, settings } = await startExtension(context, { file });
    writeFileSync(file, `${line(6)}${line(7)}{"boot_id": "${BOOT_ID}", "inode": 2}\n`);
    await waitUntil(() => settings.logger.messages("error").length > 0);
    assert.equal(await outcome(6), "unknown_inode");
    assert.equal(await outcome(5), "found");
    const reason = `${file}:3: \`inode\` is 2, it must be an integer from 3 to 2^53 - 1, or that as text`;
    assert.deepEqual(settings.logger.records.at(-1)?.fields, { file, reason });
    assert.deepEqual(settings.states.at(-1), { state: "recoverable_error", reason });
    assert.equal(
      settings.meter.value("inode_gateway_registry_file_loads", {
        extension: "memory_registry",
        result: "refused",
      }),
      1,
    );

    writeFileSync(file, line(6));
    await waitUntil(async () => (await outcome(6)) === "found");
    assert.deepEqual(settings.states.at(-1), { state: "ok", reason: undefined });
  });

  test("a file that is gone is said once, and its mappings stay", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    writeFileSync(file, line(5));
    const { outcome, settings } = await startExtension(context, { file, poll_interval: "20ms" });
    unlinkSync(file);
    await waitUntil(() => settings.logger.messages("error").length > 0);
    const endMs = performance.now() + 200;
    await waitUntil(() => performance.now() > endMs);
    assert.equal(settings.logger.messages("error").length, 1);
    assert.equal(await outcome(5), "found");
    writeFileSync(file, line(6));
    await waitUntil(async () => (await outcome(6)) === "found");
  });

  test("at the start a file that cannot be used is an error", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    const settings = createTestSettings({ kind: "extension", clock: realClock });
    const make = () => new MemoryRegistryExtension(settings, memoryRegistryConfig.parse({ file }));
    await assert.rejects(
      make().start(),
      /^Error: `file` cannot be used: ENOENT: .*mappings\.jsonl/,
    );
    const record = '"container_id": "a"';
    for (const [text, problem] of [
      ["{", /mappings\.jsonl:1: line is not JSON/],
      [`${line(5)}${line(5, "other")}`, /:2: inode 5 is given another container than in line 1$/],
      [
        `${line(5)}{"boot_id": "${BOOT_ID}", "inode": 6, "device": 38, ${record}}`,
        /:2: boot ID .* has lines with and without `device`/,
      ],
    ] as const) {
      writeFileSync(file, text);
      await assert.rejects(make().start(), problem);
    }
  });

  test("32,768 mappings of a node are read, and not one more", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    const lines = Array.from({ length: registryLimits.mappingsPerNode }, (_, at) => line(3 + at));
    writeFileSync(file, lines.join(""));
    assert.equal((await readMappingFile(file))[0]?.mappings.length, registryLimits.mappingsPerNode);
    writeFileSync(file, [...lines, line(100_000)].join(""));
    await assert.rejects(readMappingFile(file), /:32769: boot ID .* has more than 32768 mappings/);
  });

  test("256 MiB are read, and not a byte more; a line without end is refused early", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    writeFileSync(file, line(5));
    truncateSync(file, MAPPING_FILE_BYTES_MAX);
    await assert.rejects(readMappingFile(file), /:2: line is longer than 524288 characters/);
    truncateSync(file, MAPPING_FILE_BYTES_MAX + 1);
    await assert.rejects(readMappingFile(file), /has 268435457 bytes, the limit is 268435456/);
  });

  test("a boot ID in capitals is the kernel's own in lower case", async (context) => {
    const file = join(folderOf(context), "mappings.jsonl");
    writeFileSync(file, line(5).replace(BOOT_ID, BOOT_ID.toUpperCase()));
    const { outcome } = await startExtension(context, { file });
    assert.equal(await outcome(5), "found");
  });
});

runLifecycleSuite(memoryRegistry);
const lifecycleFolder = mkdtempSync(join(tmpdir(), "memory-registry-"));
process.once("exit", () => rmSync(lifecycleFolder, { recursive: true, force: true }));
const lifecycleFile = join(lifecycleFolder, "mappings.jsonl");
writeFileSync(lifecycleFile, line(5));
runLifecycleSuite(memoryRegistry, { config: { file: lifecycleFile } });
