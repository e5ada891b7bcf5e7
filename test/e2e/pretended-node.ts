import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { randomContainerId } from "@inode-gateway/testkit";
import { Executable } from "./executable.js";
import { temporaryFolder } from "./running-gateway.js";

/** A container of a {@link PretendedNode}: a directory with its inode. */
export interface PretendedContainer {
  readonly id: string;
  readonly inode: number;
  readonly device: number;
}

/**
 * A second node on this machine: a plain directory tree in the place of the cgroup file system, and
 * a boot ID of its own.
 */
export class PretendedNode {
  readonly bootId = randomUUID();
  readonly cgroupRoot: string;
  readonly #bootIdPath: string;

  /** @param cgroupRoot a tree that exists, such as another node's */
  constructor(t: TestContext, cgroupRoot?: string) {
    const folder = temporaryFolder(t);
    this.cgroupRoot = cgroupRoot ?? join(folder, "cgroup");
    mkdirSync(this.cgroupRoot, { recursive: true });
    this.#bootIdPath = join(folder, "boot_id");
    writeFileSync(this.#bootIdPath, `${this.bootId}\n`);
  }

  /** Makes a container's directory; `hierarchy` is a folder below the root on a v1 node. */
  addContainer(id = randomContainerId(), hierarchy = ""): PretendedContainer {
    const path = this.#pathOf(id, hierarchy);
    mkdirSync(path, { recursive: true });
    return this.#container(id, path);
  }

  removeContainer(id: string): void {
    rmdirSync(this.#pathOf(id));
  }

  /** Gives a container's directory, and so its inode, to another container. */
  replaceContainer(id: string): PretendedContainer {
    const other = randomContainerId();
    renameSync(this.#pathOf(id), this.#pathOf(other));
    return this.#container(other, this.#pathOf(other));
  }

  /** Starts `inode-reporter` on this node; it ends with the test. Does not wait for it. */
  startReporter(
    t: TestContext,
    redisEndpoint: string,
    settings: ReporterSettings = {},
  ): Executable {
    const all: ReporterSettings = {
      "reporter.cgroup_root": this.cgroupRoot,
      "reporter.boot_id_path": this.#bootIdPath,
      "reporter.host_id_path": `${this.#bootIdPath}.none`,
      "reporter.hierarchy": "v2",
      "registry.redis.endpoint": redisEndpoint,
      "telemetry.metrics.endpoint": "127.0.0.1:0",
      "health.endpoint": "127.0.0.1:0",
      ...settings,
    };
    const sets = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const reporter = new Executable("inode-reporter", sets);
    t.after(() => reporter.end());
    return reporter;
  }

  #pathOf(id: string, hierarchy = ""): string {
    return join(this.cgroupRoot, hierarchy, "docker", id);
  }

  #container(id: string, path: string): PretendedContainer {
    const { ino, dev } = statSync(path);
    return { id, inode: ino, device: dev };
  }
}

/** Configuration of `inode-reporter`, as for `--set`. */
export type ReporterSettings = Readonly<Record<string, string>>;

/** Waits until a reporter has told the registry everything it sees. */
export async function reconciled(reporter: Executable): Promise<ReconciledCounts> {
  const line = await reporter.logged(
    ({ msg }) => msg === "the registry was compared with the node",
    "the comparison",
  );
  const { published, vanished, unchanged } = line;
  return {
    published: Number(published),
    vanished: Number(vanished),
    unchanged: Number(unchanged),
  };
}

/** What a comparison had to do. */
export interface ReconciledCounts {
  readonly published: number;
  readonly vanished: number;
  readonly unchanged: number;
}
