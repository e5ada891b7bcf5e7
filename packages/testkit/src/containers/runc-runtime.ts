import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostCgroup2Path, randomContainerId, removeCgroup } from "../cgroup-tree.js";
import type { ContainerOptions, ContainerRuntime, RunningContainer } from "./container-runtime.js";
import { runInUnifiedView, spawnInUnifiedView } from "./unified-view.js";

/** What containers see of the host, read-only, at the same paths. */
export interface RuncRuntimeOptions {
  /** Folders beside /usr, such as the repository and an interpreter that lies elsewhere. */
  readonly mounts: readonly string[];
  /** `runc`, or another runtime with its command line, such as `crun`. */
  readonly program?: string;
}

interface Bundle {
  readonly id: string;
  readonly folder: string;
  readonly cgroupPath: string;
}

interface RuntimeSpec {
  process: { terminal: boolean; args: string[]; env: string[]; cwd: string };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: { cgroupsPath?: string; namespaces: { type: string }[]; resources?: unknown };
}

/** Starts containers with runc: private cgroup namespace, the host's network. Needs root. */
export class RuncRuntime implements ContainerRuntime {
  readonly name: string;
  readonly #program: string;
  readonly #mounts: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), "inode-gateway-runc-"));
  readonly #containers = new Set<RunningContainer>();

  constructor(options: RuncRuntimeOptions) {
    this.#program = options.program ?? "runc";
    this.name = this.#program;
    this.#mounts = options.mounts;
    const root = join(this.#folder, "root");
    for (const name of ["usr", "proc", "sys", "dev", "tmp", "etc"]) {
      mkdirSync(join(root, name), { recursive: true });
    }
    for (const mount of this.#mounts) mkdirSync(join(root, mount), { recursive: true });
    for (const name of ["bin", "sbin", "lib", "lib64"])
      symlinkSync(`usr/${name}`, join(root, name));
  }

  async start(options: ContainerOptions): Promise<RunningContainer> {
    const bundle = await this.#writeBundle(options);
    const command = [...this.#command(), "run", "--bundle", bundle.folder, bundle.id];
    const child = spawnInUnifiedView(command, { stdio: ["ignore", "pipe", "pipe"] });
    const container = new RuncContainer(bundle, child, async () => {
      await runInUnifiedView([...this.#command(), "delete", "--force", bundle.id]).catch(() => "");
      removeCgroup(hostCgroup2Path(), bundle.cgroupPath);
      this.#containers.delete(container);
    });
    this.#containers.add(container);
    return container;
  }

  async dispose(): Promise<void> {
    for (const container of this.#containers) await container.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #command(): string[] {
    return [this.#program, "--root", join(this.#folder, "state")];
  }

  async #writeBundle(options: ContainerOptions): Promise<Bundle> {
    const id = randomContainerId();
    const folder = join(this.#folder, id);
    mkdirSync(folder);
    // Written inside the unified view: only there the runtime adds a cgroup namespace by itself.
    await runInUnifiedView([this.#program, "spec", "--bundle", folder]);
    const path = join(folder, "config.json");
    const spec = JSON.parse(readFileSync(path, "utf8")) as RuntimeSpec;
    const cgroupPath = (options.cgroupPath ?? "/docker/{id}").replaceAll("{id}", id);
    spec.process.terminal = false;
    spec.process.args = [...options.command];
    spec.process.cwd = "/";
    spec.process.env.push(
      ...Object.entries(options.environment).map(([name, value]) => `${name}=${value}`),
    );
    spec.root = { path: join(this.#folder, "root"), readonly: true };
    spec.linux.cgroupsPath = cgroupPath;
    // Device rules need rights that a machine inside a sandbox may lack; the tests need none.
    delete spec.linux.resources;
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
    for (const mount of ["/usr", ...this.#mounts]) {
      const options = ["rbind", "ro"];
      spec.mounts.push({ destination: mount, type: "bind", source: mount, options });
    }
    writeFileSync(path, JSON.stringify(spec));
    return { id, folder, cgroupPath };
  }
}

class RuncContainer implements RunningContainer {
  readonly id: string;
  readonly #exit: Promise<number>;
  readonly #delete: () => Promise<void>;
  #output = "";
  #removal: Promise<void> | undefined;

  constructor(bundle: Bundle, child: ChildProcess, remove: () => Promise<void>) {
    this.id = bundle.id;
    this.#delete = remove;
    const keep = (text: Buffer) => {
      this.#output += text.toString();
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    this.#exit = new Promise((resolve) => child.once("close", (code) => resolve(code ?? 255)));
  }

  async output(): Promise<string> {
    return this.#output;
  }

  exited(): Promise<number> {
    return this.#exit;
  }

  remove(): Promise<void> {
    this.#removal ??= this.#delete().then(async () => {
      await this.#exit;
    });
    return this.#removal;
  }
}
