// `npm run demo`: real containers send with a real SDK; what arrives is printed beside the runtime's
// own answer. Ends with exit code 1 when one of them differs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ContainerRuntime,
  PodmanRuntime,
  RuncRuntime,
  type RunningContainer,
  waitUntil,
} from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import { Executable } from "./executable.js";
import { gatewayConfiguration } from "./gateway-configuration.js";
import { applicationMounts, itemsPerSignal, senderContainer } from "./senders.js";

const containersPerRuntime = 3;

const backend = new Backend();
await backend.listen();
const folder = mkdtempSync(join(tmpdir(), "inode-gateway-demo-"));
const configPath = join(folder, "gateway.yaml");
writeFileSync(
  configPath,
  gatewayConfiguration({
    extensions: "  memory_registry: {}\n  inode_reporter: { registry: memory_registry }",
    extensionNames: ["memory_registry", "inode_reporter"],
    registryId: "memory_registry",
    backend: backend.address,
  }),
);
const gateway = new Executable("inode-gateway", ["--config", configPath]);
const runtimes = availableRuntimes();
try {
  const line = await gateway.logged(({ transport }) => transport === "http", "the HTTP receiver");
  await gateway.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
  const http = String(line["endpoint"]);
  console.log(`gateway on ${http}; runtimes: ${runtimes.map(({ name }) => name).join(", ")}\n`);
  const containers = await startSenders(http);
  let wrong = 0;
  for (const [sender, container] of containers) wrong += await compare(sender, container);
  console.log(wrong === 0 ? "\nevery container.id is right" : `\n${wrong} are wrong`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  for (const runtime of runtimes) await runtime.dispose();
  await gateway.stop();
  await backend.close();
  rmSync(folder, { recursive: true });
}

function availableRuntimes(): ContainerRuntime[] {
  const found: ContainerRuntime[] = [];
  if (isInstalled("runc"))
    found.push(new RuncRuntime({ mounts: applicationMounts(["javascript"]) }));
  if (isInstalled("podman")) found.push(new PodmanRuntime());
  if (found.length === 0) throw new Error("neither runc nor podman is installed: install one");
  return found;
}

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function startSenders(http: string): Promise<Map<string, RunningContainer>> {
  const containers = new Map<string, RunningContainer>();
  for (const runtime of runtimes) {
    for (let index = 1; index <= containersPerRuntime; index++) {
      const sender = `${runtime.name}-${index}`;
      const options = { sender, language: "javascript", protocol: "http" } as const;
      const container = senderContainer({ ...options, http, grpc: http });
      containers.set(sender, await runtime.start(container));
    }
  }
  return containers;
}

/** Prints one container's answer and its telemetry's; gives the number of wrong ones. */
async function compare(sender: string, container: RunningContainer): Promise<number> {
  await waitUntil(() => backend.itemsFrom(sender, "traces").length >= itemsPerSignal, {
    limitMs: 20_000,
    description: `spans of ${sender}`,
  });
  const spans = backend.itemsFrom(sender, "traces");
  const ids = [...new Set(spans.map(({ resource }) => resource["container.id"] ?? "(none)"))];
  console.log(`${sender}\n  the runtime says       ${container.id}`);
  for (const id of ids) {
    const count = spans.filter(({ resource }) => resource["container.id"] === id).length;
    console.log(`  container.id of ${String(count).padStart(3)}    ${id}`);
  }
  return ids.length === 1 && ids[0] === container.id ? 0 : 1;
}
