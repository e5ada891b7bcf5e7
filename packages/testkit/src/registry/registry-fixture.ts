import type {
  ContainerRegistry,
  LookupAnswer,
  Mapping,
  NodeRecord,
  RegistryTimes,
} from "@inode-gateway/registry";

/** One store of the implementation under test, empty, with a clock that the suite moves. */
export interface RegistryFixture {
  /** Writes, as one node's reporter does. */
  readonly reporter: ContainerRegistry;
  /** Writes to the same store from another process, where the implementation has such a thing. */
  readonly otherReporter: ContainerRegistry;
  /** A gateway that has not asked anything yet, so that no cache answers in the store's place. */
  openGateway(): Promise<ContainerRegistry>;
  /** Moves the time that heartbeats and retention go by. */
  advance(ms: number): void;
  close(): Promise<void>;
}

/** Makes a fixture; the suite closes it after every test. */
export type CreateRegistryFixture = (times: Required<RegistryTimes>) => Promise<RegistryFixture>;

/** The times the suite runs with: small, distinct numbers. */
export const suiteTimes: Required<RegistryTimes> = {
  retentionMs: 60_000,
  nodeRetentionMs: 600_000,
  heartbeatTimeoutMs: 9_000,
};

/** A node as a reporter describes it; everything can be said otherwise. */
export function createTestNode(changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    bootId: "5e9f1d2c-7a3b-4c8d-9e0f-1a2b3c4d5e6f",
    nodeName: "node-1",
    hostName: "node-1.example",
    hostId: "0f343b0931126a20f133d67c2b018a3b",
    kernelRelease: "6.18.0",
    reporterVersion: "0.1.0",
    hierarchy: "v2",
    devices: [38],
    ...changes,
  };
}

/** A boot ID that differs from every other `index`'s. */
export function testBootId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

/** A container ID of 64 hexadecimal characters that differs from every other `index`'s. */
export function testContainerId(index: number): string {
  return index.toString(16).padStart(64, "c0ffee");
}

/** A mapping on the pure v2 hierarchy, or on `device`. */
export function createTestMapping(
  inode: number,
  containerIndex: number,
  options: {
    readonly device?: number;
    readonly attributes?: Readonly<Record<string, string | number>>;
  } = {},
): Mapping {
  const attributes = options.attributes ?? { "container.runtime.name": "containerd" };
  const record = { containerId: testContainerId(containerIndex), attributes };
  return options.device === undefined
    ? { inode, record }
    : { inode, device: options.device, record };
}

/** What an answer comes down to: the container ID where there is one, else the outcome. */
export function shortAnswers(answers: readonly LookupAnswer[]): string[] {
  return answers.map((answer) =>
    answer.outcome === "found" ? answer.record.containerId : answer.outcome,
  );
}
