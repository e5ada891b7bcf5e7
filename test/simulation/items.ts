import type { Signal } from "@inode-gateway/contract";

/** Signals that items of the simulation have. */
export const simulatedSignals = ["traces", "metrics", "logs"] as const satisfies readonly Signal[];

/** One of {@link simulatedSignals}. */
export type SimulatedSignal = (typeof simulatedSignals)[number];

/** A sender's Resource: who it is, and what it believes of itself. */
export interface ItemResource {
  readonly bootId: string;
  readonly inode: number;
  /** A wrong `container.id` that the sender found by itself. */
  readonly claimedContainerId: string | undefined;
  /** What a routing connector goes by. */
  readonly tier: Tier;
  /** What a filter drops. */
  readonly isNoise: boolean;
}

/** Where a Resource's telemetry is sent by a gateway that routes. */
export type Tier = "a" | "b";

/** Items of one Resource within a request. */
export interface ResourceItems {
  readonly resource: ItemResource;
  /** Numbers of the items, unique in the whole schedule. */
  readonly ids: readonly number[];
}

/** An item as a destination received it. */
export interface ReceivedItem {
  readonly id: number;
  readonly containerId: string | undefined;
}

/** Where an item's number is kept: 8 bytes, little-endian, in a field that the signal has anyway. */
const idField = { traces: 2, logs: 10, metrics: 3 } as const satisfies Record<
  SimulatedSignal,
  number
>;

const traceIdField = { traces: 1, logs: 9 } as const;

/** An OTLP export request, written by hand so that the simulation does not depend on the code it tests. */
export function encodeItems(signal: SimulatedSignal, groups: readonly ResourceItems[]): Uint8Array {
  const resources = groups.map(({ ids, resource }) => {
    const items = ids.map((id) => message(2, item(signal, id)));
    return message(
      1,
      Buffer.concat([message(1, attributes(resource)), message(2, Buffer.concat(items))]),
    );
  });
  return Buffer.concat(resources);
}

/** The items of a request with the `container.id` that their Resource carries. */
export function decodeItems(signal: SimulatedSignal, bytes: Uint8Array): ReceivedItem[] {
  const received: ReceivedItem[] = [];
  for (const resource of fieldsOf(bytes, 1)) {
    const containerId = fieldsOf(resource, 1)
      .flatMap((attributeList) => fieldsOf(attributeList, 1))
      .filter((pair) => text(fieldsOf(pair, 1)[0]) === "container.id")
      .map((pair) => text(fieldsOf(fieldsOf(pair, 2)[0] ?? empty, 1)[0]))[0];
    for (const scope of fieldsOf(resource, 2)) {
      for (const body of fieldsOf(scope, 2)) received.push({ id: idOf(signal, body), containerId });
    }
  }
  return received;
}

function item(signal: SimulatedSignal, id: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(BigInt(id));
  if (signal !== "metrics") {
    const traceId = Buffer.concat([number, number]).reverse();
    return Buffer.concat([
      message(traceIdField[signal], traceId),
      message(idField[signal], number),
    ]);
  }
  const point = Buffer.concat([Buffer.of((idField.metrics << 3) | 1), number]);
  return Buffer.concat([message(1, Buffer.from("m")), message(5, message(1, point))]);
}

function idOf(signal: SimulatedSignal, body: Uint8Array): number {
  const holder = signal === "metrics" ? fieldsOf(fieldsOf(body, 5)[0] ?? empty, 1)[0] : body;
  const number = fieldsOf(holder ?? empty, idField[signal])[0];
  if (number?.length !== 8) throw new Error(`an item of ${signal} came without its number`);
  return Number(Buffer.from(number).readBigUInt64LE());
}

function attributes(resource: ItemResource): Buffer {
  const { bootId, claimedContainerId, inode, isNoise, tier } = resource;
  const pairs = [
    pair("container.cgroup.inode", Buffer.concat([Buffer.of(3 << 3), varint(inode)])),
    pair("host.boot.id", message(1, Buffer.from(bootId))),
    pair("tier", message(1, Buffer.from(tier))),
  ];
  if (isNoise) pairs.push(pair("noise", Buffer.of(2 << 3, 1)));
  if (claimedContainerId !== undefined) {
    pairs.push(pair("container.id", message(1, Buffer.from(claimedContainerId))));
  }
  return Buffer.concat(pairs);
}

function pair(key: string, value: Uint8Array): Buffer {
  return message(1, Buffer.concat([message(1, Buffer.from(key)), message(2, value)]));
}

function message(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((field << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const empty = new Uint8Array();

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** The values of one field: the content of length-delimited ones, the 8 bytes of fixed ones. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const wireType = tag & 7;
    if (wireType === 0) {
      readVarint();
      continue;
    }
    const length = wireType === 2 ? readVarint() : wireType === 1 ? 8 : 4;
    if (tag >>> 3 === wanted) found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}
