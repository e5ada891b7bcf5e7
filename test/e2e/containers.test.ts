import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type ContainerRuntime,
  hostCgroup2Path,
  PodmanRuntime,
  RuncRuntime,
  type RunningContainer,
  startRedis,
  waitUntil,
} from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import { Executable } from "./executable.js";
import { gatewayConfiguration } from "./gateway-configuration.js";
import { LateRelay } from "./late-relay.js";
import {
  applicationMounts,
  type GatewayAddresses,
  itemsPerSignal,
  type SenderOptions,
  senderContainer,
} from "./senders.js";

const containersSideBySide = 20;
const signals = ["traces", "metrics", "logs"] as const;

/** One way to run the product: everything in one process, or with Redis between node and gateway. */
interface Deployment {
  readonly backend: Backend;
  readonly addresses: GatewayAddresses;
  stop(): Promise<void>;
}

async function startGateway(
  folder: string,
  backend: Backend,
  registry: { readonly id: string; readonly extensions: string; readonly names: string[] },
): Promise<{ gateway: Executable; addresses: GatewayAddresses }> {
  const configPath = join(folder, "gateway.yaml");
  const { id: registryId, extensions, names: extensionNames } = registry;
  writeFileSync(
    configPath,
    gatewayConfiguration({ extensions, extensionNames, registryId, backend: backend.address }),
  );
  const gateway = new Executable("inode-gateway", ["--config", configPath]);
  const listening = async (transport: string) => {
    const line = await gateway.logged(
      ({ msg, transport: own }) => msg === "Receiving OTLP" && own === transport,
      `the ${transport} receiver`,
    );
    return String(line["endpoint"]);
  };
  await gateway.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
  return { gateway, addresses: { grpc: await listening("grpc"), http: await listening("http") } };
}

async function startStandalone(): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "inode-gateway-e2e-"));
  const backend = new Backend();
  await backend.listen();
  const { gateway, addresses } = await startGateway(folder, backend, {
    id: "memory_registry",
    extensions: "  memory_registry: {}\n  inode_reporter: { registry: memory_registry }",
    names: ["memory_registry", "inode_reporter"],
  });
  return {
    backend,
    addresses,
    stop: async () => {
      assert.equal(await gateway.stop(), 0, gateway.stderr);
      await backend.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startWithRedis(): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "inode-gateway-e2e-"));
  const redis = await startRedis();
  const backend = new Backend();
  await backend.listen();
  const reporterPath = join(folder, "reporter.yaml");
  writeFileSync(
    reporterPath,
    `reporter: { node_name: e2e-node }
registry: { redis: { endpoint: "${redis.endpoint}" } }
telemetry: { metrics: { endpoint: "127.0.0.1:0" } }
health: { endpoint: "127.0.0.1:0" }
`,
  );
  const reporter = new Executable("inode-reporter", ["--config", reporterPath]);
  await reporter.logged(({ msg }) => msg === "the registry answers", "the registry's answer");
  const { gateway, addresses } = await startGateway(folder, backend, {
    id: "redis_registry",
    extensions: `  redis_registry: { endpoint: "${redis.endpoint}" }`,
    names: ["redis_registry"],
  });
  return {
    backend,
    addresses,
    stop: async () => {
      assert.equal(await gateway.stop(), 0, gateway.stderr);
      assert.equal(await reporter.stop(), 0, reporter.stderr);
      await redis.stop();
      await backend.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Every item of one container has arrived, and carries the ID that the runtime gives. */
async function assertArrived(
  backend: Backend,
  sender: string,
  container: RunningContainer,
): Promise<void> {
  for (const signal of signals) {
    await waitUntil(() => backend.itemsFrom(sender, signal).length >= itemsPerSignal, {
      limitMs: 10_000,
      description: `${signal} of ${sender}`,
    });
    const items = backend.itemsFrom(sender, signal);
    assert.equal(items.length, itemsPerSignal, `${signal} of ${sender} arrive once each`);
    for (const { resource } of items) {
      assert.equal(resource["container.id"], container.id, `${signal} of ${sender}`);
      assert.equal(resource["container.cgroup.inode"], undefined, "the inode is taken off");
      assert.equal(resource["host.boot.id"], undefined, "the boot ID is taken off");
    }
  }
}

for (const [mode, startDeployment] of [
  ["standalone", startStandalone],
  ["with Redis", startWithRedis],
] as const) {
  describe(`containers on a gateway ${mode}`, () => {
    let deployment: Deployment;
    let runc: RuncRuntime;
    let podman: PodmanRuntime;

    before(async () => {
      deployment = await startDeployment();
      runc = new RuncRuntime({ mounts: applicationMounts(["javascript", "python"]) });
      podman = new PodmanRuntime();
    });
    after(async () => {
      await podman.dispose();
      await runc.dispose();
      await deployment.stop();
    });

    async function startSender(
      runtime: ContainerRuntime,
      options: Omit<SenderOptions, "grpc" | "http">,
      cgroupPath?: string,
    ): Promise<RunningContainer> {
      const container = senderContainer({ ...options, ...deployment.addresses });
      return runtime.start(cgroupPath === undefined ? container : { ...container, cgroupPath });
    }

    async function assertEnded(container: RunningContainer): Promise<void> {
      assert.equal(await container.exited(), 0, await container.output());
    }

    // Scenario: runc and podman, SDKs for JavaScript and Python, gRPC and HTTP, all at the same time.
    test(`${containersSideBySide} containers side by side: everything arrives, every container.id is right`, async () => {
      const started = Array.from({ length: containersSideBySide }, async (_, index) => {
        const runtime = index % 2 === 0 ? runc : podman;
        const language = index % 4 < 2 ? "javascript" : "python";
        const protocol = index % 8 < 4 ? "http" : "grpc";
        const sender = `${runtime.name}-${language}-${protocol}-${index}`;
        const container = await startSender(runtime, { sender, language, protocol });
        return { sender, container };
      });
      const containers = await Promise.all(started);
      await Promise.all(containers.map(({ container }) => assertEnded(container)));
      const ids = new Set(containers.map(({ container }) => container.id));
      assert.equal(ids.size, containersSideBySide);
      for (const { sender, container } of containers) {
        await assertArrived(deployment.backend, sender, container);
      }
    });

    // Scenario: the process lives in a directory below the container's own, as crun places it.
    test("a process in a nested cgroup resolves to its container", async () => {
      const container = await startSender(
        runc,
        { sender: "nested", language: "javascript", protocol: "http" },
        "/machine.slice/libpod-{id}.scope/container",
      );
      await assertEnded(container);
      await assertArrived(deployment.backend, "nested", container);
    });

    test("a wrong container.id of the sender is replaced by the right one", async () => {
      const container = await startSender(runc, {
        sender: "mistaken",
        language: "javascript",
        protocol: "grpc",
        attributes: { "container.id": "f".repeat(64) },
      });
      await assertEnded(container);
      await assertArrived(deployment.backend, "mistaken", container);
    });

    // Scenario: a relay keeps the telemetry until the container and its cgroup are gone.
    test("a container stopped before its telemetry is flushed is still resolved", async () => {
      const relay = await LateRelay.listen();
      const { command, environment } = senderContainer({
        sender: "stopped",
        language: "javascript",
        protocol: "http",
        grpc: relay.address,
        http: relay.address,
      });
      const container = await runc.start({ command, environment });
      await assertEnded(container);
      await container.remove();
      assert.ok(!existsSync(`${hostCgroup2Path()}/docker/${container.id}`), "its cgroup is gone");
      assert.equal(relay.keptCount, signals.length);
      await relay.sendOn(deployment.addresses.http);
      await relay.close();
      await assertArrived(deployment.backend, "stopped", container);
    });

    // Scenario: podman restarts the container: the same ID, a new cgroup with a new inode.
    test("a restarted container keeps its ID although its inode is new", async () => {
      const container = await startSender(podman, {
        sender: "restarted",
        language: "javascript",
        protocol: "http",
      });
      await assertEnded(container);
      await assertArrived(deployment.backend, "restarted", container);
      deployment.backend.items.length = 0;
      await podman.restart(container);
      await assertEnded(container);
      await assertArrived(deployment.backend, "restarted", container);
    });
  });
}
