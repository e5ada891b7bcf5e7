import { keyValue } from "../schema/common.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";
import {
  entryOfHighNumber,
  FIELDS_PER_MESSAGE,
  FIRST_MESSAGE,
  framingTable,
  ID_OF_8_BYTES,
  ID_OF_16_BYTES,
  PACKED_FIXED64,
  PACKED_VARINTS,
  rowOf,
  TEXT,
  UNKNOWN_FIELD,
} from "./framing-table.js";
import { MAX_NESTED_MESSAGES, MAX_VARINT_BYTES } from "./limits.js";
import { isText } from "./text.js";
import { isUsualKeyValue } from "./usual-key-value.js";

const KEY_VALUE = FIRST_MESSAGE + rowOf(keyValue);

/**
 * Whether a range of bytes is one well-framed message, down to the last AnyValue.
 *
 * The hot path of every receiver: one pass, nothing allocated but one DataView, no explanation when
 * the answer is no (`explainFault` gives it). Depends on nothing but its arguments, so that an
 * implementation in WebAssembly can take its place.
 *
 * @param row of the message in `framingTable`
 * @param depth how many messages it stands in
 */
export function isWellFramed(
  bytes: Uint8Array,
  start: number,
  end: number,
  row: number,
  depth: number = 0,
): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isMessage(bytes, view, start, end, row, depth);
}

function isMessage(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  row: number,
  depth: number,
): boolean {
  let offset = start;
  while (offset < end) {
    let tag = bytes[offset] ?? 0;
    if (tag < 0x80) offset++;
    else {
      const tagEnd = endOfVarint32(bytes, offset, end);
      if (tagEnd === 0) return false;
      tag = varint32(bytes, offset, tagEnd);
      offset = tagEnd;
    }
    const number = tag >>> 3;
    if (number === 0) return false;
    const entry =
      number < FIELDS_PER_MESSAGE
        ? (framingTable[row * FIELDS_PER_MESSAGE + number] ?? UNKNOWN_FIELD)
        : entryOfHighNumber(row, number);
    const wireType = tag & 7;
    if (((entry >>> wireType) & 1) === 0) return false;
    if (wireType === LENGTH_DELIMITED) {
      let length = bytes[offset] ?? 0;
      if (length < 0x80) offset++;
      else {
        const lengthEnd = endOfVarint32(bytes, offset, end);
        if (lengthEnd === 0) return false;
        length = varint32(bytes, offset, lengthEnd);
        offset = lengthEnd;
      }
      const contentEnd = offset + length;
      if (contentEnd > end) return false;
      if (!isContent(bytes, view, offset, contentEnd, entry >>> 8, depth)) return false;
      offset = contentEnd;
    } else if (wireType === VARINT) {
      if ((bytes[offset] ?? 0) < 0x80) offset++;
      else {
        offset = endOfVarint64(bytes, offset, end);
        if (offset === 0) return false;
      }
    } else if (wireType === FIXED64) offset += 8;
    else if (wireType === FIXED32) offset += 4;
  }
  return offset === end;
}

function isContent(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  content: number,
  depth: number,
): boolean {
  if (content === TEXT) return isText(bytes, view, start, end);
  if (content >= FIRST_MESSAGE) {
    if (depth === MAX_NESTED_MESSAGES) return false;
    if (
      content === KEY_VALUE &&
      depth < MAX_NESTED_MESSAGES - 1 &&
      isUsualKeyValue(bytes, view, start, end)
    ) {
      return true;
    }
    return isMessage(bytes, view, start, end, content - FIRST_MESSAGE, depth + 1);
  }
  switch (content) {
    case ID_OF_8_BYTES:
      return start === end || end - start === 8;
    case ID_OF_16_BYTES:
      return start === end || end - start === 16;
    case PACKED_VARINTS:
      return areVarints(bytes, start, end);
    case PACKED_FIXED64:
      return (end - start) % 8 === 0;
    default:
      return true;
  }
}

function areVarints(bytes: Uint8Array, start: number, end: number): boolean {
  let offset = start;
  while (offset < end) {
    offset = endOfVarint64(bytes, offset, end);
    if (offset === 0) return false;
  }
  return true;
}

/** Offset after a varint of at most 64 bits that ends at or before `end`; 0 when there is none. */
function endOfVarint64(bytes: Uint8Array, start: number, end: number): number {
  const last = start + MAX_VARINT_BYTES - 1;
  for (let offset = start; offset < end && offset < last; offset++) {
    if ((bytes[offset] ?? 0) < 0x80) return offset + 1;
  }
  // The tenth byte holds bit 63 and nothing else.
  return last < end && (bytes[last] ?? 0) <= 1 ? last + 1 : 0;
}

/** The same for a varint of at most 32 bits. */
function endOfVarint32(bytes: Uint8Array, start: number, end: number): number {
  const last = start + 4;
  for (let offset = start; offset < end && offset < last; offset++) {
    if ((bytes[offset] ?? 0) < 0x80) return offset + 1;
  }
  return last < end && (bytes[last] ?? 0) <= 0x0f ? last + 1 : 0;
}

function varint32(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let offset = end - 1; offset >= start; offset--) {
    value = value * 0x80 + ((bytes[offset] ?? 0) & 0x7f);
  }
  return value;
}
