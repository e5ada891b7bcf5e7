import { endOfVarint, readVarint32 } from "../wire/varint.js";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "../wire/wire-type.js";

const KEY = 1;
const VALUE = 2;
const KEY_TAG = (KEY << 3) | LENGTH_DELIMITED;
const VALUE_TAG = (VALUE << 3) | LENGTH_DELIMITED;

/** What {@link findAttribute} returns when no attribute has the key. */
export const NO_ATTRIBUTE = -1;
/** What {@link findAttribute} returns for an attribute without a value, which is an empty one. */
export const EMPTY_ATTRIBUTE = -2;

/**
 * Where the value of an attribute lies: the offset of the length in front of its AnyValue message.
 *
 * Looks through the KeyValue fields of one number in the message from `start` to `end`. Of equal keys,
 * which the specification forbids, the first one counts. The bytes must have passed `checkRequest`.
 *
 * @param key the UTF-8 of the attribute's key
 */
export function findAttribute(
  bytes: Uint8Array,
  start: number,
  end: number,
  fieldNumber: number,
  key: Uint8Array,
): number {
  const wanted = (fieldNumber << 3) | LENGTH_DELIMITED;
  let offset = start;
  // Hand-tuned like countItems: every condition on an attribute passes here once for every item.
  while (offset < end) {
    let tag = bytes[offset] ?? 0;
    if (tag < 0x80) offset++;
    else {
      tag = readVarint32(bytes, offset);
      offset = endOfVarint(bytes, offset);
    }
    const wireType = tag & 7;
    if (wireType === LENGTH_DELIMITED) {
      let length = bytes[offset] ?? 0;
      if (length < 0x80) offset++;
      else {
        length = readVarint32(bytes, offset);
        offset = endOfVarint(bytes, offset + 1);
      }
      const contentEnd = offset + length;
      if (tag === wanted) {
        const found = valueIfKey(bytes, offset, contentEnd, key);
        if (found !== NO_ATTRIBUTE) return found;
      }
      offset = contentEnd;
    } else offset = endOfScalar(bytes, offset, end, wireType);
  }
  return NO_ATTRIBUTE;
}

function valueIfKey(bytes: Uint8Array, start: number, end: number, key: Uint8Array): number {
  const keyLength = key.length;
  const keyEnd = start + 2 + keyLength;
  // What nearly every sender writes: the key, its length in one byte, then the value and no more.
  if (bytes[start] !== KEY_TAG || bytes[start + 1] !== keyLength || keyLength >= 0x80) {
    return bytes[start] === KEY_TAG && isUsual(bytes, start, end)
      ? NO_ATTRIBUTE
      : valueInAnyOrder(bytes, start, end, key);
  }
  if (!isUsual(bytes, start, end)) return valueInAnyOrder(bytes, start, end, key);
  for (let index = 0; index < keyLength; index++) {
    if (bytes[start + 2 + index] !== key[index]) return NO_ATTRIBUTE;
  }
  return keyEnd === end ? EMPTY_ATTRIBUTE : keyEnd + 1;
}

/** Whether a KeyValue is a key of less than 128 bytes and then one value, or nothing. */
function isUsual(bytes: Uint8Array, start: number, end: number): boolean {
  const keyLength = bytes[start + 1] ?? 0;
  if (keyLength >= 0x80) return false;
  const keyEnd = start + 2 + keyLength;
  if (keyEnd === end) return true;
  if (bytes[keyEnd] !== VALUE_TAG) return false;
  const length = bytes[keyEnd + 1] ?? 0;
  if (length < 0x80) return keyEnd + 2 + length === end;
  return endOfVarint(bytes, keyEnd + 1) + readVarint32(bytes, keyEnd + 1) === end;
}

function valueInAnyOrder(bytes: Uint8Array, start: number, end: number, key: Uint8Array): number {
  let isKey = key.length === 0;
  let value = EMPTY_ATTRIBUTE;
  let offset = start;
  while (offset < end) {
    const tag = readVarint32(bytes, offset);
    offset = endOfVarint(bytes, offset);
    if ((tag & 7) !== LENGTH_DELIMITED) {
      offset = endOfScalar(bytes, offset, end, tag & 7);
      continue;
    }
    const from = endOfVarint(bytes, offset);
    const to = from + readVarint32(bytes, offset);
    if (tag === KEY_TAG) isKey = Buffer.compare(bytes.subarray(from, to), key) === 0;
    else if (tag === VALUE_TAG) value = offset;
    offset = to;
  }
  return isKey ? value : NO_ATTRIBUTE;
}

function endOfScalar(bytes: Uint8Array, offset: number, end: number, wireType: number): number {
  if (wireType === VARINT) return endOfVarint(bytes, offset);
  if (wireType === FIXED64) return offset + 8;
  if (wireType === FIXED32) return offset + 4;
  return end;
}
