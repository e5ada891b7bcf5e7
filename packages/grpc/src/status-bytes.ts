import { joinRetryDelay, splitRetryDelay } from "./retry-delay.js";
import { RETRY_INFO_TYPE, type Status } from "./status.js";

/**
 * Largest google.rpc.Status that is read, in bytes.
 *
 * A gRPC peer sends it as a header and few peers take headers above 16 KiB; an HTTP backend sends it
 * as a body, where 64 KiB is what the Collector reads of one.
 */
export const STATUS_BYTES_MAX = 65_536;

/** Details read of one status; what is behind them is skipped. The registry of details has about ten. */
export const STATUS_DETAILS_MAX = 64;

/**
 * Encodes a google.rpc.Status; a delay becomes one google.rpc.RetryInfo in `details`.
 *
 * @throws RangeError when `retryDelayMs` is negative, not a number or above `RETRY_DELAY_MS_MAX`
 */
export function encodeStatus(status: Status): Uint8Array {
  const parts: Uint8Array[] = [];
  if (status.code !== 0) parts.push(varintField(1, BigInt(Math.trunc(status.code))));
  if (status.message !== "") parts.push(bytesField(2, Buffer.from(status.message, "utf8")));
  if (status.retryDelayMs !== undefined) {
    const retryInfo = bytesField(1, encodeDuration(status.retryDelayMs));
    const any = [bytesField(1, Buffer.from(RETRY_INFO_TYPE)), bytesField(2, retryInfo)];
    parts.push(bytesField(3, Buffer.concat(any)));
  }
  return Buffer.concat(parts);
}

/**
 * Decodes a google.rpc.Status; details other than google.rpc.RetryInfo are skipped.
 *
 * A RetryInfo that cannot be read, or whose delay is negative, counts as absent: the code and the
 * message matter more than a hint.
 *
 * @throws RangeError naming the byte offset when the framing is broken, or when there are more than
 *   `STATUS_BYTES_MAX` bytes
 */
export function decodeStatus(bytes: Uint8Array): Status {
  if (bytes.length > STATUS_BYTES_MAX) {
    throw new RangeError(`status is ${bytes.length} bytes, at most ${STATUS_BYTES_MAX} are read`);
  }
  let code = 0;
  let message = "";
  let retryDelayMs: number | undefined;
  let detailCount = 0;
  forEachField(bytes, (field, value) => {
    if (field === 1 && typeof value === "bigint") code = Number(BigInt.asIntN(32, value));
    else if (field === 2 && value instanceof Uint8Array) message = decodeText(value);
    else if (field === 3 && value instanceof Uint8Array && ++detailCount <= STATUS_DETAILS_MAX) {
      retryDelayMs ??= decodeDetail(value);
    }
  });
  return retryDelayMs === undefined ? { code, message } : { code, message, retryDelayMs };
}

type FieldValue = bigint | Uint8Array;

function decodeDetail(any: Uint8Array): number | undefined {
  let type = "";
  let value = new Uint8Array();
  try {
    forEachField(any, (field, content) => {
      if (!(content instanceof Uint8Array)) return;
      if (field === 1) type = decodeText(content);
      else if (field === 2) value = Uint8Array.from(content);
    });
    // Only what follows the last slash names the message (google.protobuf.Any.type_url).
    if (type.slice(type.lastIndexOf("/") + 1) !== "google.rpc.RetryInfo") return undefined;
    let delayMs: number | undefined;
    forEachField(value, (field, content) => {
      if (field === 1 && content instanceof Uint8Array) delayMs = decodeDuration(content);
    });
    return delayMs;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function decodeDuration(bytes: Uint8Array): number | undefined {
  let seconds = 0;
  let nanos = 0;
  forEachField(bytes, (field, value) => {
    if (typeof value !== "bigint") return;
    if (field === 1) seconds = Number(BigInt.asIntN(64, value));
    else if (field === 2) nanos = Number(BigInt.asIntN(32, value));
  });
  return joinRetryDelay(seconds, nanos);
}

function encodeDuration(delayMs: number): Uint8Array {
  const { seconds, nanos } = splitRetryDelay(delayMs);
  const parts: Uint8Array[] = [];
  if (seconds > 0) parts.push(varintField(1, BigInt(seconds)));
  if (nanos > 0) parts.push(varintField(2, BigInt(nanos)));
  return Buffer.concat(parts);
}

// A lossy decoder: a status is shown to people, and half a message is better than none.
function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

function forEachField(bytes: Uint8Array, visit: (field: number, value: FieldValue) => void): void {
  let offset = 0;
  while (offset < bytes.length) {
    const start = offset;
    const [tag, contentStart] = readVarint(bytes, offset);
    const field = Number(tag >> 3n);
    if (field === 0 || tag > 0xffff_ffffn) {
      throw new RangeError(
        `field number ${tag >> 3n} at byte ${start}, 1 to 536870911 is possible`,
      );
    }
    switch (Number(tag & 7n)) {
      case 0: {
        const [value, end] = readVarint(bytes, contentStart);
        visit(field, value);
        offset = end;
        break;
      }
      case 1:
        offset = checkedEnd(bytes, contentStart, 8n);
        break;
      case 2: {
        const [length, from] = readVarint(bytes, contentStart);
        offset = checkedEnd(bytes, from, length);
        visit(field, bytes.subarray(from, offset));
        break;
      }
      case 5:
        offset = checkedEnd(bytes, contentStart, 4n);
        break;
      default:
        throw new RangeError(`wire type ${tag & 7n} at byte ${start} is not used in a status`);
    }
  }
}

function checkedEnd(bytes: Uint8Array, from: number, length: bigint): number {
  const left = bytes.length - from;
  if (length > BigInt(left)) throw new RangeError(`length ${length} at byte ${from}, ${left} left`);
  return from + Number(length);
}

function readVarint(bytes: Uint8Array, offset: number): [value: bigint, end: number] {
  let value = 0n;
  for (let index = 0; index < 10 && offset + index < bytes.length; index++) {
    const byte = bytes[offset + index] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return [BigInt.asUintN(64, value), offset + index + 1];
  }
  throw new RangeError(`no varint at byte ${offset}, ${bytes.length - offset} bytes left`);
}

function varintField(field: number, value: bigint): Uint8Array {
  return Uint8Array.from([field << 3, ...varint(value)]);
}

function bytesField(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    Uint8Array.from([(field << 3) | 2, ...varint(BigInt(content.length))]),
    content,
  ]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
