import type { AttributeScalar } from "../attribute/attribute-value.js";
import { writeAttribute } from "../attribute/write-attribute.js";
import { FieldCursor } from "../wire/field-cursor.js";
import { readText } from "../wire/text.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import { WireWriter } from "../wire/wire-writer.js";

const ATTRIBUTES = 1;
const KEY = 1;
// Room for a few attributes, so that the writer rarely grows.
const EXPECTED_GROWTH_BYTES = 512;

/** What to do with the attributes of a Resource: first `remove`, then `set`, then `setIfAbsent`. */
export interface AttributeEdit {
  /** Attributes that get this value, whatever was there. */
  readonly set?: ReadonlyMap<string, AttributeScalar>;
  /** Attributes that get this value unless there is one already. */
  readonly setIfAbsent?: ReadonlyMap<string, AttributeScalar>;
  /** Attributes that are left out. */
  readonly remove?: ReadonlySet<string>;
}

/**
 * Edits the attributes of one Resource message, from `start` (inclusive) to `end` (exclusive).
 *
 * A key that is there is replaced where it stands, a new one is appended; a key that is set and occurs
 * more than once, against the specification, occurs once afterwards. Other attributes, the dropped
 * count, entity references, unknown fields and the order of all are kept byte by byte.
 *
 * @param bytes of a request that has passed `checkRequest`; not modified
 * @returns the bytes of the new message; when nothing changes, that part of `bytes`
 * @throws RangeError when a bigint does not fit into a signed 64-bit integer
 */
export function editResource(
  bytes: Uint8Array,
  start: number,
  end: number,
  edit: AttributeEdit,
): Uint8Array {
  const writer = new WireWriter(end - start + EXPECTED_GROWTH_BYTES);
  const present = new Set<string>();
  let keptUntil = start;
  let isChanged = false;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== ATTRIBUTES || field.wireType !== LENGTH_DELIMITED) continue;
    const key = readKey(bytes, field.contentStart, field.contentEnd);
    const value = edit.set?.get(key);
    const isKept = value === undefined && edit.remove?.has(key) !== true;
    if (isKept) {
      present.add(key);
      continue;
    }
    isChanged = true;
    writer.append(bytes, keptUntil, field.fieldStart);
    keptUntil = field.contentEnd;
    if (value === undefined || present.has(key)) continue;
    writeAttribute(writer, ATTRIBUTES, key, value);
    present.add(key);
  }
  writer.append(bytes, keptUntil, end);
  for (const [key, value] of [...(edit.set ?? []), ...(edit.setIfAbsent ?? [])]) {
    if (present.has(key)) continue;
    writeAttribute(writer, ATTRIBUTES, key, value);
    present.add(key);
    isChanged = true;
  }
  return isChanged ? writer.finish() : bytes.subarray(start, end);
}

/** Key of a KeyValue message; of several `key` fields the last one, as decoders read it. */
function readKey(bytes: Uint8Array, start: number, end: number): string {
  let key = "";
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== KEY || field.wireType !== LENGTH_DELIMITED) continue;
    key = readText(bytes, field.contentStart, field.contentEnd);
  }
  return key;
}
