import { crc32 } from "node:zlib";

/** Bytes of a key; see {@link encodeKey}. */
export const KEY_BYTES = 20;
/** Bytes of a key up to the part that tells what the record is. */
const PREFIX_BYTES = 12;
const CHECKSUM_BYTES = 4;
const TWO_TO_32 = 4_294_967_296;

/** The identifier of no queue: its keys hold what the file says of itself. */
export const DIRECTORY_LOG = 0;

/** Which record a key names, and what is known of it without its value. */
export interface RecordKey {
  /** Queue the record belongs to, 32 bits. */
  readonly log: number;
  /** Ascends in the order of appending within one queue, from 1. */
  readonly sequence: number;
  readonly itemCount: number;
  readonly byteLength: number;
}

/**
 * A record's key: queue, sequence, items and length, big-endian, so that keys sort as records were
 * appended and a list of records needs no value.
 */
export function encodeKey(key: RecordKey): Buffer {
  const bytes = Buffer.alloc(KEY_BYTES);
  writePrefix(bytes, key.log, key.sequence);
  bytes.writeUInt32BE(key.itemCount, PREFIX_BYTES);
  bytes.writeUInt32BE(key.byteLength, PREFIX_BYTES + 4);
  return bytes;
}

/** What all keys of a record, whatever its items and length, are not below. */
export function encodePrefix(log: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES);
  writePrefix(bytes, log, sequence);
  return bytes;
}

/** @throws Error when it is no key of a record */
export function decodeKey(bytes: Uint8Array): RecordKey {
  if (bytes.length !== KEY_BYTES)
    throw new Error(`a key has ${bytes.length} bytes, not ${KEY_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    log: view.getUint32(0),
    sequence: view.getUint32(4) * TWO_TO_32 + view.getUint32(8),
    itemCount: view.getUint32(PREFIX_BYTES),
    byteLength: view.getUint32(PREFIX_BYTES + 4),
  };
}

/**
 * A record's value: a CRC-32 of its key and content, then the content. In memory of its own, which
 * may be given to another thread.
 */
export function encodeValue(key: Uint8Array, parts: readonly Uint8Array[], byteLength: number) {
  const bytes = new Uint8Array(new ArrayBuffer(CHECKSUM_BYTES + byteLength));
  let offset = CHECKSUM_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  const checksum = crc32(bytes.subarray(CHECKSUM_BYTES), crc32(key));
  new DataView(bytes.buffer).setUint32(0, checksum);
  return bytes;
}

/**
 * The content of a value.
 *
 * @throws Error when it is not what was written under this key
 */
export function decodeValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  const { byteLength } = decodeKey(key);
  const content = value.subarray(CHECKSUM_BYTES);
  if (content.byteLength !== byteLength) {
    throw new Error(`it has ${content.byteLength} bytes, ${byteLength} were written`);
  }
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const written = view.getUint32(0);
  const found = crc32(content, crc32(key));
  if (written !== found) {
    throw new Error(`its checksum is ${found.toString(16)}, ${written.toString(16)} was written`);
  }
  return content;
}

/** The bytes a record takes in the file: the pages of its value with their header. */
export function bytesInFile(byteLength: number, pageBytes: number): number {
  const pageHeaderBytes = 24;
  const bytes = CHECKSUM_BYTES + byteLength + pageHeaderBytes;
  return Math.ceil(bytes / pageBytes) * pageBytes;
}

function writePrefix(bytes: Buffer, log: number, sequence: number): void {
  bytes.writeUInt32BE(log, 0);
  bytes.writeUInt32BE(Math.floor(sequence / TWO_TO_32), 4);
  bytes.writeUInt32BE(sequence % TWO_TO_32, 8);
}
