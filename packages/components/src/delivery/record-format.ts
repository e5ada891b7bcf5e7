import { Batch, type BatchOrigin, type Clock, type Signal } from "@inode-gateway/contract";
import { signals } from "@inode-gateway/otlp";

/** The version of the format that is written; a reader refuses any other. */
export const RECORD_VERSION = 1;

/** Version, signal, 2 unused bytes, items, length of the description; all little-endian. */
const HEADER_BYTES = 12;

/** Words in the names of headers that carry credentials; a name is taken apart at its hyphens. */
const CREDENTIAL_WORDS: ReadonlySet<string> = new Set([
  "apikey",
  "auth",
  "authorization",
  "cookie",
  "credential",
  "credentials",
  "jwt",
  "key",
  "password",
  "secret",
  "session",
  "signature",
  "token",
]);

/** The bytes are not what was written. */
export class DamagedRecordError extends Error {
  override readonly name = "DamagedRecordError";
}

/** Another version of the program wrote this record. */
export class UnknownRecordVersionError extends Error {
  override readonly name = "UnknownRecordVersionError";
}

/** What a record says about its request, as JSON: small beside the request, and readable in a dump. */
interface Description {
  readonly peer: string;
  /** When the receiver had the request, Unix time. */
  readonly receivedAtUnixMs: number;
  readonly metadata: readonly (readonly [string, readonly string[]])[];
  /** Bytes, items and peer of each request that was merged into this one, in order. */
  readonly parts: readonly (readonly [number, number, string])[];
}

/**
 * A batch as one record of a queue on disk: a header of 12 bytes, its description, and the request.
 *
 * What a server authenticator knows of the sender is left out, and so is its deadline. With
 * `include_metadata` a batch has all headers of its request: those that carry credentials, by their
 * names, are left out too.
 *
 * @param metadataNames lower-case names of the metadata that is kept whatever it is called
 */
export function encodeRecord(
  batch: Batch,
  clock: Clock,
  metadataNames: ReadonlySet<string>,
): readonly Uint8Array[] {
  const { metadata, peer, receivedAtMs } = batch.origin;
  const description: Description = {
    peer,
    receivedAtUnixMs: Math.round(clock.unixMs() - (clock.nowMs() - receivedAtMs)),
    metadata: [...metadata].filter(([name]) => metadataNames.has(name) || !isCredential(name)),
    parts: batch.mergedFrom.map((part) => [part.byteLength, part.itemCount, part.origin.peer]),
  };
  const text = Buffer.from(JSON.stringify(description), "utf8");
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(RECORD_VERSION, 0);
  header.writeUInt8(signals.indexOf(batch.signal), 1);
  header.writeUInt32LE(batch.itemCount, 4);
  header.writeUInt32LE(text.byteLength, 8);
  return [header, text, ...batch.chunks];
}

/**
 * Reads a record of one queue; the batch shares the record's memory.
 *
 * @throws UnknownRecordVersionError, DamagedRecordError
 */
export function decodeRecord(record: Uint8Array, signal: Signal, clock: Clock): Batch {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  if (bytes.length < HEADER_BYTES) {
    throw new DamagedRecordError(`${bytes.length} bytes are no record, a header has 12`);
  }
  const version = bytes.readUInt8(0);
  if (version !== RECORD_VERSION) {
    const message = `record has version ${version}, this program reads ${RECORD_VERSION}`;
    throw new UnknownRecordVersionError(message);
  }
  const written = signals[bytes.readUInt8(1)];
  if (written !== signal) {
    throw new DamagedRecordError(`record is of ${written ?? "no signal"}, the queue of ${signal}`);
  }
  const itemCount = bytes.readUInt32LE(4);
  const start = HEADER_BYTES + bytes.readUInt32LE(8);
  if (start > bytes.length) {
    throw new DamagedRecordError(
      `record has ${bytes.length} bytes, its header alone says ${start}`,
    );
  }
  const description = readDescription(bytes.toString("utf8", HEADER_BYTES, start));
  const request = bytes.subarray(start);
  const ageMs = Math.max(0, clock.unixMs() - description.receivedAtUnixMs);
  const origin: BatchOrigin = {
    peer: description.peer,
    receivedAtMs: clock.nowMs() - ageMs,
    deadlineMs: Number.POSITIVE_INFINITY,
    metadata: new Map(description.metadata),
  };
  const mergedFrom = partsOf(description, request, signal, origin);
  return new Batch({ signal, chunks: [request], origin, itemCount, mergedFrom });
}

function isCredential(headerName: string): boolean {
  return headerName.split(/[-_.]/).some((word) => CREDENTIAL_WORDS.has(word));
}

function readDescription(text: string): Description {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DamagedRecordError("description of the record is no JSON", { cause });
  }
  if (!isDescription(value))
    throw new DamagedRecordError("description of the record is incomplete");
  return value;
}

function isDescription(value: unknown): value is Description {
  if (typeof value !== "object" || value === null) return false;
  const { metadata, parts, peer, receivedAtUnixMs } = value as Partial<Description>;
  return (
    typeof peer === "string" &&
    Number.isFinite(receivedAtUnixMs) &&
    Array.isArray(metadata) &&
    metadata.every(isMetadata) &&
    Array.isArray(parts) &&
    parts.every(isPart)
  );
}

function isMetadata(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [name, values]: readonly unknown[] = value;
  const isText = (text: unknown) => typeof text === "string";
  return isText(name) && Array.isArray(values) && values.every(isText);
}

function isPart(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [byteLength, itemCount, peer]: readonly unknown[] = value;
  return isCount(byteLength) && isCount(itemCount) && typeof peer === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function partsOf(
  { parts }: Description,
  request: Uint8Array,
  signal: Signal,
  origin: BatchOrigin,
): readonly Batch[] {
  const batches: Batch[] = [];
  let offset = 0;
  for (const [byteLength, itemCount, peer] of parts) {
    const chunks = [request.subarray(offset, offset + byteLength)];
    batches.push(new Batch({ signal, chunks, itemCount, origin: { ...origin, peer } }));
    offset += byteLength;
  }
  if (parts.length > 0 && offset !== request.byteLength) {
    throw new DamagedRecordError(
      `parts of the record have ${offset} of ${request.byteLength} bytes`,
    );
  }
  return batches;
}
