import { Batch, type BatchOrigin, type Signal } from "@inode-gateway/contract";

/** What a test wants of a batch. */
export interface TestBatchOptions {
  /** Default `traces`. */
  readonly signal?: Signal;
  /** Default 1, at most 10,000. */
  readonly itemCount?: number;
  readonly origin?: Partial<BatchOrigin>;
}

/** A small valid request of `itemCount` items below one Resource, counted already. */
export function createTestBatch(options: TestBatchOptions = {}): Batch {
  const signal = options.signal ?? "traces";
  const itemCount = options.itemCount ?? 1;
  if (!(itemCount >= 0 && itemCount <= 10_000)) {
    throw new RangeError(`${itemCount} items, a test batch has 0 to 10000`);
  }
  return new Batch({
    signal,
    chunks: [requestOf(signal, itemCount)],
    origin: createTestOrigin(options.origin),
    itemCount,
  });
}

/** An origin of a sender that waits for ever and sent no metadata. */
export function createTestOrigin(origin: Partial<BatchOrigin> = {}): BatchOrigin {
  return {
    peer: "127.0.0.1:54321",
    receivedAtMs: 1_000_000,
    deadlineMs: Number.POSITIVE_INFINITY,
    metadata: new Map(),
    ...origin,
  };
}

function requestOf(signal: Signal, itemCount: number): Uint8Array {
  const items = Array.from({ length: itemCount }, (_, index) => itemOf(signal, index));
  // Resource with the attribute service.name; scope-level list is field 2 of every signal.
  const attribute = field(1, field(1, text("service.name")), field(2, field(1, text("test"))));
  return field(1, field(1, attribute), field(2, ...items));
}

function itemOf(signal: Signal, index: number): Uint8Array {
  switch (signal) {
    case "traces": {
      const traceId = Buffer.alloc(16, 0x0a);
      traceId.writeUInt32BE(index + 1, 12);
      const spanId = Buffer.alloc(8, 0x0b);
      spanId.writeUInt32BE(index + 1, 4);
      return field(2, field(1, traceId), field(2, spanId), field(5, text(`span-${index}`)));
    }
    case "metrics":
      // A gauge (5) with one data point (1) whose value (6, as_int, fixed64) is 0.
      return field(
        2,
        field(1, text(`metric-${index}`)),
        field(5, field(1, Uint8Array.of(0x31, 0, 0, 0, 0, 0, 0, 0, 0))),
      );
    case "logs":
      return field(2, field(5, field(1, text(`message-${index}`))));
    case "profiles":
      // A profile with one sample; samples are the items.
      return field(2, field(2, Uint8Array.of(0x08, 0x00)));
  }
}

function text(value: string): Uint8Array {
  return Buffer.from(value, "utf8");
}

/** One length-delimited field, tag and length included; `fieldNumber` is below 16. */
function field(fieldNumber: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const header = [(fieldNumber << 3) | 2];
  let length = content.byteLength;
  for (; length > 0x7f; length >>>= 7) header.push((length & 0x7f) | 0x80);
  header.push(length);
  return Buffer.concat([Uint8Array.from(header), content]);
}
