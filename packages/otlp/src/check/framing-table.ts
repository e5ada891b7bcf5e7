import type { FieldSchema, MessageSchema } from "../schema/message-schema.js";
import { requestSchemas } from "../schema/requests.js";
import { signals } from "../signal.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import { DEPRECATED_SCOPES, deprecatedScopesOf } from "./deprecated-scopes.js";

/** Field numbers below this one have an entry in the table; OTLP uses none above 16. */
export const FIELDS_PER_MESSAGE = 32;

// An entry is a mask of accepted wire types (bits 0 to 7) and, from bit 8 on, what a length-delimited
// content is: one of the following, or a message.
/** Any bytes. */
const OPAQUE = 0;
/** UTF-8 text. */
export const TEXT = 1;
/** Varints one after another. */
export const PACKED_VARINTS = 2;
/** Numbers of eight bytes. */
export const PACKED_FIXED64 = 3;
/** Nothing, or an identifier of 8 bytes. */
export const ID_OF_8_BYTES = 4;
/** Nothing, or an identifier of 16 bytes. */
export const ID_OF_16_BYTES = 5;
/** This one and above: a message, whose row in the table is the difference. */
export const FIRST_MESSAGE = 8;

/** Entry of a field that OTLP does not define: every wire type it uses, any bytes. */
export const UNKNOWN_FIELD =
  (1 << VARINT) | (1 << FIXED64) | (1 << LENGTH_DELIMITED) | (1 << FIXED32);

/**
 * Place of `DEPRECATED_SCOPES` in a row: that of field 0, which does not exist. A table as wide as that
 * number would not stay in the processor's cache.
 */
const DEPRECATED_SCOPES_PLACE = 0;

/** Every message that can occur in a request, in an order that makes it a row number. */
const messages: readonly MessageSchema[] = collectMessages();

/** Entries of all fields: row times FIELDS_PER_MESSAGE plus field number. */
export const framingTable: Int32Array = compile();

/** Entry of a field whose number has no place of its own in the row: `FIELDS_PER_MESSAGE` and above. */
export function entryOfHighNumber(row: number, number: number): number {
  if (number !== DEPRECATED_SCOPES) return UNKNOWN_FIELD;
  return framingTable[row * FIELDS_PER_MESSAGE + DEPRECATED_SCOPES_PLACE] ?? UNKNOWN_FIELD;
}

/**
 * Row of a message in the table.
 *
 * @throws RangeError when no request can contain the message
 */
export function rowOf(message: MessageSchema): number {
  const row = messages.indexOf(message);
  if (row < 0) throw new RangeError(`no OTLP request contains ${message.name}`);
  return row;
}

function collectMessages(): MessageSchema[] {
  const found = signals.map((signal) => requestSchemas[signal]);
  // The list grows while it is walked: each message adds those that it contains.
  for (const message of found) {
    for (const field of message.fields) {
      if (field.message !== undefined && !found.includes(field.message)) found.push(field.message);
    }
  }
  return found;
}

function compile(): Int32Array {
  const table = new Int32Array(messages.length * FIELDS_PER_MESSAGE).fill(UNKNOWN_FIELD);
  messages.forEach((message, row) => {
    for (const field of message.fields) {
      if (field.number >= FIELDS_PER_MESSAGE) {
        throw new RangeError(`${message.name} has field ${field.number}, the table ends before it`);
      }
      table[row * FIELDS_PER_MESSAGE + field.number] = entryOf(field);
    }
    const scopes = deprecatedScopesOf(message);
    if (scopes === undefined) return;
    table[row * FIELDS_PER_MESSAGE + DEPRECATED_SCOPES_PLACE] = entryOf(scopes);
  });
  return table;
}

function entryOf(field: FieldSchema): number {
  const content = contentOf(field) << 8;
  const own = 1 << wireTypeOf(field);
  // Decoders must accept a repeated number packed and one by one.
  return content | own | (field.packed ? 1 << LENGTH_DELIMITED : 0);
}

function contentOf(field: FieldSchema): number {
  if (field.message !== undefined) return FIRST_MESSAGE + rowOf(field.message);
  if (field.kind === "string") return TEXT;
  if (field.hexIdBytes !== undefined)
    return field.hexIdBytes === 8 ? ID_OF_8_BYTES : ID_OF_16_BYTES;
  if (!field.packed) return OPAQUE;
  const wireType = wireTypeOf(field);
  if (wireType === VARINT) return PACKED_VARINTS;
  if (wireType === FIXED64) return PACKED_FIXED64;
  throw new RangeError(`no rule for packed ${field.kind} in ${field.name}`);
}

/** The wire type of one element of a field. */
export function wireTypeOf(field: FieldSchema): number {
  switch (field.kind) {
    case "fixed64":
    case "sfixed64":
    case "double":
      return FIXED64;
    case "fixed32":
    case "sfixed32":
    case "float":
      return FIXED32;
    case "string":
    case "bytes":
    case "message":
      return LENGTH_DELIMITED;
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
    case "sint32":
    case "sint64":
    case "bool":
    case "enum":
      return VARINT;
  }
}
