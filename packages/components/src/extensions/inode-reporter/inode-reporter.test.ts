import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import type { Extension } from "@inode-gateway/contract";
import { type ContainerRegistry, createMemoryRegistry } from "@inode-gateway/registry";
import {
  createTestSettings,
  realClock,
  runLifecycleSuite,
  TestHost,
  waitUntil,
} from "@inode-gateway/testkit";
import { inodeReporterConfig } from "./config.js";
import { inodeReporter } from "./factory.js";
import { InodeReporterExtension } from "./inode-reporter.js";

const BOOT_ID = "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa";
const ID = "57bd9c30801f8ba75af549773090e8f6b25cebaa6d476316cf5585564a868c92";

function makeTree(): { readonly folder: string; readonly config: Record<string, unknown> } {
  const folder = mkdtempSync(join(tmpdir(), "inode-reporter-"));
  mkdirSync(join(folder, "cgroup", "docker", ID), { recursive: true });
  writeFileSync(join(folder, "boot_id"), `${BOOT_ID}\n`);
  const config = {
    registry: "memory_registry",
    cgroup_root: join(folder, "cgroup"),
    boot_id_path: join(folder, "boot_id"),
    hierarchy: "v2",
  };
  return { folder, config };
}

function asExtension(containerRegistry: ContainerRegistry): Extension {
  return {
    start: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    containerRegistry,
  } as Extension;
}

async function startReporter(context: TestContext, changes: Record<string, unknown> = {}) {
  const { config, folder } = makeTree();
  const settings = createTestSettings({
    id: "inode_reporter",
    kind: "extension",
    clock: realClock,
  });
  const written = inodeReporterConfig.parse({ ...config, ...changes });
  const extension = new InodeReporterExtension(settings, written);
  const registry = createMemoryRegistry();
  context.after(async () => {
    await extension.shutdown(realClock.nowMs() + 1_000);
    rmSync(folder, { recursive: true, force: true });
  });
  await extension.start(new TestHost({ memory_registry: asExtension(registry) }));
  return { extension, folder, registry, settings };
}

suite("inode_reporter", () => {
  test("publishes the node's containers into the registry extension", async (context) => {
    const { folder, registry, settings } = await startReporter(context);
    const inodeOf = (name: string) => statSync(join(folder, "cgroup", "docker", name)).ino;
    const record = (name: string) => registry.cached({ bootId: BOOT_ID, inode: inodeOf(name) });
    await waitUntil(() => record(ID)?.containerId === ID);

    const later = "1d6f52de1635785a1754e36094ec54acec6ec617b1a555f553b9c28fb78da977";
    mkdirSync(join(folder, "cgroup", "docker", later));
    await waitUntil(() => record(later)?.containerId === later);
    await waitUntil(() => settings.states.at(-1)?.state === "ok");
    assert.equal(settings.meter.sum("inode_gateway_reporter_ready"), 1);
  });

  test("a tree that cannot be read is an error at the start that names the key", async (context) => {
    await assert.rejects(startReporter(context, { cgroup_root: "/nowhere" }), /cgroup_root/);
    await assert.rejects(startReporter(context, { boot_id_path: "/nowhere" }), /boot_id_path/);
  });

  test("the registry is a reference that a validation can check", () => {
    const config = inodeReporterConfig.parse({ registry: "memory_registry/a" });
    assert.deepEqual(inodeReporter.extensions?.(config), [
      { extensionId: "memory_registry/a", path: ["registry"] },
    ]);
    const issues = inodeReporterConfig.safeParse({ sweep_interval: "0s" }).error?.issues ?? [];
    assert.deepEqual(issues.map(({ path }) => path.join()).sort(), ["registry"]);
    const { error } = inodeReporterConfig.safeParse({ registry: "r", sweep_interval: "0s" });
    assert.deepEqual(
      error?.issues.map(({ path }) => path.join()),
      ["sweep_interval"],
    );
  });
});

const { config, folder } = makeTree();
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
runLifecycleSuite(inodeReporter, {
  config,
  extensions: () => ({ memory_registry: asExtension(createMemoryRegistry()) }),
});
