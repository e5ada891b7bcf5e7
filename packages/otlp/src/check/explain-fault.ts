import { isUtf8 } from "node:buffer";
import type { FieldSchema, MessageSchema } from "../schema/message-schema.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import { FramingError } from "./framing-error.js";
import { wireTypeOf } from "./framing-table.js";
import { MAX_NESTED_MESSAGES, MAX_VARINT_BYTES, MAX_VARINT32_BYTES } from "./limits.js";

const wireTypeNames: readonly string[] = [
  "varint",
  "64-bit",
  "length-delimited",
  "start of a group",
  "end of a group",
  "32-bit",
  "reserved",
  "reserved",
];

/**
 * The first fault in a range of bytes that should be one message, or undefined when there is none.
 *
 * The slow twin of `isWellFramed`: it follows the same rules over the schema itself, and keeps track
 * of where it is. Called only after the fast one said no.
 */
export function explainFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  message: MessageSchema,
): FramingError | undefined {
  try {
    walkMessage(bytes, start, end, message, "", 0);
    return undefined;
  } catch (error) {
    if (error instanceof FramingError) return error;
    throw error;
  }
}

function walkMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  message: MessageSchema,
  path: string,
  depth: number,
): void {
  const occurrences = new Map<FieldSchema, number>();
  let offset = start;
  while (offset < end) {
    const fieldStart = offset;
    const tag = readVarint(bytes, offset, end, MAX_VARINT32_BYTES, "tag", path);
    offset = tag.end;
    const number = tag.value >>> 3;
    const wireType = tag.value & 7;
    if (number === 0) throw new FramingError("field number 0", fieldStart, path);
    const field = message.byNumber.get(number);
    const index = field === undefined ? 0 : (occurrences.get(field) ?? 0);
    if (field !== undefined) occurrences.set(field, index + 1);
    const fieldPath = field === undefined ? path : joinPath(path, field, index);
    requireWireType(field, number, wireType, fieldStart, fieldPath);
    if (wireType === VARINT) {
      offset = readVarint(bytes, offset, end, MAX_VARINT_BYTES, "value", fieldPath).end;
    } else if (wireType === LENGTH_DELIMITED) {
      const length = readVarint(bytes, offset, end, MAX_VARINT32_BYTES, "length", fieldPath);
      requireRoom(length.value, length.end, end, offset, fieldPath);
      offset = length.end + length.value;
      if (field !== undefined) {
        walkContent(bytes, length.end, offset, field, fieldPath, fieldStart, depth);
      }
    } else {
      const size = wireType === FIXED64 ? 8 : 4;
      requireRoom(size, offset, end, fieldStart, fieldPath);
      offset += size;
    }
  }
}

function walkContent(
  bytes: Uint8Array,
  start: number,
  end: number,
  field: FieldSchema,
  path: string,
  fieldStart: number,
  depth: number,
): void {
  const length = end - start;
  if (field.message !== undefined) {
    if (depth >= MAX_NESTED_MESSAGES) {
      const problem = `message at nesting level ${depth + 1}, the limit is ${MAX_NESTED_MESSAGES}`;
      throw new FramingError(problem, fieldStart, path);
    }
    walkMessage(bytes, start, end, field.message, path, depth + 1);
  } else if (field.kind === "string") {
    if (!isUtf8(bytes.subarray(start, end))) {
      throw new FramingError("text is not valid UTF-8", start, path);
    }
  } else if (field.hexIdBytes !== undefined) {
    if (length !== 0 && length !== field.hexIdBytes) {
      const problem = `identifier of ${length} bytes, must have ${field.hexIdBytes} or none`;
      throw new FramingError(problem, start, path);
    }
  } else if (field.packed && wireTypeOf(field) === VARINT) {
    let offset = start;
    while (offset < end) {
      offset = readVarint(bytes, offset, end, MAX_VARINT_BYTES, "packed value", path).end;
    }
  } else if (field.packed && length % 8 !== 0) {
    throw new FramingError(`packed content of ${length} bytes, elements take 8`, start, path);
  }
}

function requireWireType(
  field: FieldSchema | undefined,
  number: number,
  wireType: number,
  byteOffset: number,
  path: string,
): void {
  const name = `wire type ${wireType} (${wireTypeNames[wireType]})`;
  if (![VARINT, FIXED64, LENGTH_DELIMITED, FIXED32].includes(wireType)) {
    throw new FramingError(`${name} of field ${number} is not used by OTLP`, byteOffset, path);
  }
  if (field === undefined) return;
  const expected = wireTypeOf(field);
  if (wireType === expected || (field.packed && wireType === LENGTH_DELIMITED)) return;
  const problem = `${name} of field ${number}, its kind ${field.kind} takes ${expected}`;
  throw new FramingError(problem, byteOffset, path);
}

function requireRoom(
  size: number,
  contentStart: number,
  end: number,
  byteOffset: number,
  path: string,
): void {
  const left = end - contentStart;
  if (size <= left) return;
  throw new FramingError(`length ${size}, ${left} bytes left in the message`, byteOffset, path);
}

interface Varint {
  /** Exact up to 32 bits, which is all that a caller looks at. */
  readonly value: number;
  readonly end: number;
}

function readVarint(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxBytes: number,
  what: string,
  path: string,
): Varint {
  // What the last of all bytes may hold: bits 28 to 31 of 32, or bit 63 of 64.
  const maxLastByte = maxBytes === MAX_VARINT32_BYTES ? 0x0f : 0x01;
  let value = 0;
  for (let index = 0; index < maxBytes; index++) {
    if (start + index >= end) {
      throw new FramingError(`${what} is cut off after ${index} bytes`, start, path);
    }
    const byte = bytes[start + index] ?? 0;
    if (index === maxBytes - 1 && byte > maxLastByte) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  const bits = maxBytes === MAX_VARINT32_BYTES ? 32 : 64;
  throw new FramingError(`varint of a ${what} has more than ${bits} bits`, start, path);
}

function joinPath(path: string, field: FieldSchema, index: number): string {
  const step = field.repeated && !field.packed ? `${field.name}[${index}]` : field.name;
  return path === "" ? step : `${path}.${step}`;
}
