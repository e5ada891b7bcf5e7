import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostCgroup2Path, removeCgroup } from "../cgroup-tree.js";
import type { ContainerOptions, RestartingRuntime, RunningContainer } from "./container-runtime.js";
import { runInUnifiedView } from "./unified-view.js";

/** Rights that raising limits would need may be missing: podman gets limits below the host's. */
const limitOptions = [
  "--pids-limit",
  "0",
  "--ulimit",
  "nofile=1024:1024",
  "--ulimit",
  "nproc=4096",
];

/**
 * Starts containers with podman on cgroupfs: private cgroup namespace, the host's network, and the
 * host's root file system under an overlay, so that no image is needed. Needs root.
 */
export class PodmanRuntime implements RestartingRuntime {
  readonly name = "podman";
  readonly #folder = mkdtempSync(join(tmpdir(), "inode-gateway-podman-"));
  readonly #containers = new Set<PodmanContainer>();

  async start(options: ContainerOptions): Promise<RunningContainer> {
    const parent = options.cgroupPath ?? "/libpod_parent";
    const environment = Object.entries(options.environment).flatMap(([name, value]) => [
      "--env",
      `${name}=${value}`,
    ]);
    const id = await this.#podman([
      ...["run", "--detach", "--network", "host", "--log-driver", "k8s-file", ...limitOptions],
      ...["--cgroup-parent", parent, ...environment, "--rootfs", "/:O", ...options.command],
    ]);
    const container = new PodmanContainer(
      id.trim(),
      (args) => this.#podman(args),
      () => {
        this.#containers.delete(container);
        removeCgroup(hostCgroup2Path(), parent);
      },
    );
    this.#containers.add(container);
    return container;
  }

  async restart(container: RunningContainer): Promise<void> {
    await this.#podman(["restart", "--time", "10", container.id]);
  }

  async dispose(): Promise<void> {
    for (const container of this.#containers) await container.remove();
    await runInUnifiedView(["umount", "-R", join(this.#folder, "storage")]).catch(() => "");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #podman(args: readonly string[]): Promise<string> {
    const storage = [
      "--root",
      join(this.#folder, "storage"),
      "--runroot",
      join(this.#folder, "run"),
    ];
    const settings = [
      "--cgroup-manager",
      "cgroupfs",
      "--runtime",
      "runc",
      "--events-backend",
      "file",
    ];
    return runInUnifiedView(["podman", ...storage, ...settings, ...args]);
  }
}

class PodmanContainer implements RunningContainer {
  readonly id: string;
  readonly #podman: (args: readonly string[]) => Promise<string>;
  readonly #forget: () => void;
  #removal: Promise<void> | undefined;

  constructor(
    id: string,
    podman: (args: readonly string[]) => Promise<string>,
    forget: () => void,
  ) {
    this.id = id;
    this.#podman = podman;
    this.#forget = forget;
  }

  output(): Promise<string> {
    return this.#podman(["logs", this.id]);
  }

  async exited(): Promise<number> {
    return Number(await this.#podman(["wait", this.id]));
  }

  remove(): Promise<void> {
    this.#removal ??= this.#podman(["rm", "--force", "--time", "0", this.id]).then(this.#forget);
    return this.#removal;
  }
}
