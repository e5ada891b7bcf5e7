/** What runs in a container and what it sees of the host. */
export interface ContainerOptions {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where below the hierarchy's root the container's cgroup lies; `{id}` stands for its ID. */
  readonly cgroupPath?: string;
}

/** One container that a real runtime started. */
export interface RunningContainer {
  /** The runtime's own answer to "what is this container's ID". */
  readonly id: string;
  /** Everything it wrote so far, both streams. */
  output(): Promise<string>;
  /** Its exit code, when its process has ended. */
  exited(): Promise<number>;
  /** Ends its process and removes the container and its cgroup. Safe twice. */
  remove(): Promise<void>;
}

/** A real container runtime on this machine. Containers share the host's network. */
export interface ContainerRuntime {
  readonly name: string;
  start(options: ContainerOptions): Promise<RunningContainer>;
  /** Removes every container that is left and the runtime's folder. */
  dispose(): Promise<void>;
}

/** A runtime that can start a stopped container again, under the same ID. */
export interface RestartingRuntime extends ContainerRuntime {
  /** Resolves when the container's process has ended and a new one was started. */
  restart(container: RunningContainer): Promise<void>;
}
