import { FieldCursor } from "../wire/field-cursor.js";
import { type FieldRange, findFields, joinContents } from "../wire/find-fields.js";
import { varint32Length, writeVarint32 } from "../wire/varint.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import { SplicedBytes } from "./spliced-bytes.js";

const RESOURCE_ITEMS = 1;
const RESOURCE = 1;
const TAG = (1 << 3) | LENGTH_DELIMITED;

/**
 * Called with the bytes of one Resource message, from `start` (inclusive) to `end` (exclusive).
 *
 * Returns the bytes that take its place, or undefined to leave it as it is. `bytes` must not be
 * modified, and neither must the result afterwards.
 */
export type ResourceReplacer = (
  bytes: Uint8Array,
  start: number,
  end: number,
) => Uint8Array | undefined;

/**
 * Replaces the Resources of a request of any signal, one after another in wire order.
 *
 * `replace` is called once for every ResourceSpans, ResourceMetrics and so on. One that has no Resource
 * shows an empty range; of one that has several `resource` fields they are shown joined, which is how
 * protobuf reads them, and the replacement takes the place of them all. Everything else stays as it
 * is, byte by byte, and is shared with `bytes`; for a Resource in front of its scopes, as senders
 * write it, two chunks arise.
 *
 * @param bytes a request that has passed `checkRequest`
 * @returns the new request as chunks, or undefined when `replace` changed nothing
 */
export function replaceResources(
  bytes: Uint8Array,
  replace: ResourceReplacer,
): Uint8Array[] | undefined {
  let spliced: SplicedBytes | undefined;
  const items = new FieldCursor(bytes, 0, bytes.length);
  while (items.next()) {
    if (items.number !== RESOURCE_ITEMS || items.wireType !== LENGTH_DELIMITED) continue;
    const { fieldStart, contentStart, contentEnd } = items;
    const fields = findFields(bytes, contentStart, contentEnd, RESOURCE);
    const replacement = callReplacer(bytes, contentStart, fields, replace);
    if (replacement === undefined) continue;
    spliced ??= new SplicedBytes(bytes);
    spliced.keepUntil(fieldStart);
    spliced.skipUntil(contentStart);
    spliceResource(spliced, contentStart, contentEnd, fields, replacement);
  }
  return spliced?.finish();
}

function callReplacer(
  bytes: Uint8Array,
  emptyAt: number,
  fields: readonly FieldRange[],
  replace: ResourceReplacer,
): Uint8Array | undefined {
  const [first, ...others] = fields;
  if (first === undefined) return replace(bytes, emptyAt, emptyAt);
  if (others.length === 0) return replace(bytes, first.start, first.end);
  const joined = joinContents(bytes, fields);
  return replace(joined, 0, joined.length);
}

function spliceResource(
  spliced: SplicedBytes,
  contentStart: number,
  contentEnd: number,
  fields: readonly FieldRange[],
  replacement: Uint8Array,
): void {
  let length = contentEnd - contentStart + 1 + lengthOf(replacement) + replacement.length;
  for (const field of fields) length -= field.end - field.fieldStart;
  const position = fields[0]?.fieldStart ?? contentStart;
  if (position === contentStart) {
    spliced.insert(encodeField(length, replacement));
  } else {
    spliced.insert(encodeHeader(length));
    spliced.keepUntil(position);
    spliced.insert(encodeField(undefined, replacement));
  }
  for (const field of fields) {
    spliced.keepUntil(field.fieldStart);
    spliced.skipUntil(field.end);
  }
  spliced.keepUntil(contentEnd);
}

function lengthOf(bytes: Uint8Array): number {
  return varint32Length(bytes.length);
}

/** The tag and length of a ResourceSpans and its like. */
function encodeHeader(length: number): Uint8Array {
  const header = Buffer.allocUnsafe(1 + varint32Length(length));
  header[0] = TAG;
  writeVarint32(header, 1, length);
  return header;
}

/** The field of a Resource; in front of it, unless undefined, the header of what it stands in. */
function encodeField(outerLength: number | undefined, resource: Uint8Array): Uint8Array {
  const outerBytes = outerLength === undefined ? 0 : 1 + varint32Length(outerLength);
  const field = Buffer.allocUnsafe(outerBytes + 1 + lengthOf(resource) + resource.length);
  let offset = 0;
  if (outerLength !== undefined) {
    field[0] = TAG;
    offset = writeVarint32(field, 1, outerLength);
  }
  field[offset] = TAG;
  offset = writeVarint32(field, offset + 1, resource.length);
  field.set(resource, offset);
  return field;
}
