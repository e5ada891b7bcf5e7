import { isUtf8 } from "node:buffer";
import type { FieldSchema, MessageSchema } from "../schema/message-schema.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import { DEPRECATED_SCOPES, deprecatedScopesOf } from "./deprecated-scopes.js";
import { FramingError } from "./framing-error.js";
import { rowOf, wireTypeOf } from "./framing-table.js";
import { isWellFramed } from "./is-well-framed.js";
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

// A fault at the end of 64 MiB would take the slow walk a second, and the process nothing else.
const SKIP_LEVELS = 3;

/**
 * The first fault in a range of bytes that should be one message, or undefined when there is none.
 *
 * The slow twin of `isWellFramed`: it follows the same rules over the schema itself, and keeps track
 * of where it is. Called only after the fast one said no.
 *
 * @param skipLevels on how many levels messages that the fast twin finds well-framed are passed over:
 *   Resources, scopes and items unless told otherwise. At 0 nothing is taken from the twin.
 */
export function explainFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  message: MessageSchema,
  skipLevels: number = SKIP_LEVELS,
): FramingError | undefined {
  try {
    walkMessage(bytes, start, end, message, { depth: 0, skipLevels });
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return new FramingError(error.problem, error.byteOffset, error.steps.reverse().join("."));
  }
}

interface Level {
  /** How many messages stand around this one. */
  readonly depth: number;
  readonly skipLevels: number;
}

/** Thrown where the fault is; every message on the way up adds its step to the path. */
class Fault extends Error {
  readonly problem: string;
  readonly byteOffset: number;
  /** Innermost first. */
  readonly steps: string[] = [];

  constructor(problem: string, byteOffset: number) {
    super(problem);
    this.problem = problem;
    this.byteOffset = byteOffset;
  }
}

function walkMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  message: MessageSchema,
  level: Level,
): void {
  let offset = start;
  while (offset < end) {
    const tag = readVarint(bytes, offset, end, MAX_VARINT32_BYTES, "tag");
    const number = tag.value >>> 3;
    if (number === 0) throw new Fault("field number 0", offset);
    const field =
      number === DEPRECATED_SCOPES ? deprecatedScopesOf(message) : message.byNumber.get(number);
    try {
      offset = walkField(bytes, offset, end, tag, field, level);
    } catch (error) {
      if (error instanceof Fault && field !== undefined) {
        error.steps.push(stepOf(bytes, start, offset, field));
      }
      throw error;
    }
  }
}

/** Walks over one field and returns where it ends. */
function walkField(
  bytes: Uint8Array,
  fieldStart: number,
  end: number,
  tag: Varint,
  field: FieldSchema | undefined,
  level: Level,
): number {
  const wireType = tag.value & 7;
  requireWireType(field, tag.value >>> 3, wireType, fieldStart);
  if (wireType === VARINT) {
    return readVarint(bytes, tag.end, end, MAX_VARINT_BYTES, "value").end;
  }
  if (wireType === LENGTH_DELIMITED) {
    const length = readVarint(bytes, tag.end, end, MAX_VARINT32_BYTES, "length");
    requireRoom(length.value, length.end, end, tag.end);
    const contentEnd = length.end + length.value;
    if (field !== undefined) walkContent(bytes, length.end, contentEnd, field, fieldStart, level);
    return contentEnd;
  }
  const size = wireType === FIXED64 ? 8 : 4;
  requireRoom(size, tag.end, end, fieldStart);
  return tag.end + size;
}

function walkContent(
  bytes: Uint8Array,
  start: number,
  end: number,
  field: FieldSchema,
  fieldStart: number,
  level: Level,
): void {
  const length = end - start;
  if (field.message !== undefined) {
    const depth = level.depth + 1;
    if (depth > MAX_NESTED_MESSAGES) {
      const problem = `message at nesting level ${depth}, the limit is ${MAX_NESTED_MESSAGES}`;
      throw new Fault(problem, fieldStart);
    }
    const isSkipped = depth <= level.skipLevels;
    if (isSkipped && isWellFramed(bytes, start, end, rowOf(field.message), depth)) return;
    walkMessage(bytes, start, end, field.message, { ...level, depth });
  } else if (field.kind === "string") {
    if (!isUtf8(bytes.subarray(start, end))) {
      throw new Fault("text is not valid UTF-8", start);
    }
  } else if (field.hexIdBytes !== undefined) {
    if (length !== 0 && length !== field.hexIdBytes) {
      const problem = `identifier of ${length} bytes, must have ${field.hexIdBytes} or none`;
      throw new Fault(problem, start);
    }
  } else if (field.packed && wireTypeOf(field) === VARINT) {
    let offset = start;
    while (offset < end) {
      offset = readVarint(bytes, offset, end, MAX_VARINT_BYTES, "packed value").end;
    }
  } else if (field.packed && length % 8 !== 0) {
    throw new Fault(`packed content of ${length} bytes, elements take 8`, start);
  }
}

function requireWireType(
  field: FieldSchema | undefined,
  number: number,
  wireType: number,
  byteOffset: number,
): void {
  const name = `wire type ${wireType} (${wireTypeNames[wireType]})`;
  if (![VARINT, FIXED64, LENGTH_DELIMITED, FIXED32].includes(wireType)) {
    throw new Fault(`${name} of field ${number} is not used by OTLP`, byteOffset);
  }
  if (field === undefined) return;
  const expected = wireTypeOf(field);
  if (wireType === expected || (field.packed && wireType === LENGTH_DELIMITED)) return;
  const problem = `${name} of field ${number}, its kind ${field.kind} takes ${expected}`;
  throw new Fault(problem, byteOffset);
}

function requireRoom(size: number, contentStart: number, end: number, byteOffset: number): void {
  const left = end - contentStart;
  if (size <= left) return;
  throw new Fault(`length ${size}, ${left} bytes left in the message`, byteOffset);
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
): Varint {
  // What the last of all bytes may hold: bits 28 to 31 of 32, or bit 63 of 64.
  const maxLastByte = maxBytes === MAX_VARINT32_BYTES ? 0x0f : 0x01;
  let value = 0;
  for (let index = 0; index < maxBytes; index++) {
    if (start + index >= end) {
      throw new Fault(`${what} is cut off after ${index} bytes`, start);
    }
    const byte = bytes[start + index] ?? 0;
    if (index === maxBytes - 1 && byte > maxLastByte) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  const bits = maxBytes === MAX_VARINT32_BYTES ? 32 : 64;
  throw new Fault(`varint of a ${what} has more than ${bits} bits`, start);
}

/** Name of the field; of a repeated one with its index, counted in the message up to the fault. */
function stepOf(bytes: Uint8Array, start: number, fieldStart: number, field: FieldSchema): string {
  if (!field.repeated || field.packed) return field.name;
  let index = 0;
  const before = new FieldCursor(bytes, start, fieldStart);
  while (before.next()) if (before.number === field.number) index++;
  return `${field.name}[${index}]`;
}
