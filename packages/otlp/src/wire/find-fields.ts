import { FieldCursor } from "./field-cursor.js";
import { LENGTH_DELIMITED } from "./wire-type.js";

/** Where one length-delimited field lies. */
export interface FieldRange {
  /** Where its tag begins. */
  readonly fieldStart: number;
  /** Where its content begins. */
  readonly start: number;
  /** Where its content ends, exclusive. */
  readonly end: number;
}

/** All length-delimited fields of one number in a message, in wire order. */
export function findFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  fieldNumber: number,
): FieldRange[] {
  const found: FieldRange[] = [];
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== fieldNumber || field.wireType !== LENGTH_DELIMITED) continue;
    found.push({ fieldStart: field.fieldStart, start: field.contentStart, end: field.contentEnd });
  }
  return found;
}

/** The contents of the fields, one after another: protobuf's way to merge a message. */
export function joinContents(bytes: Uint8Array, fields: readonly FieldRange[]): Uint8Array {
  return Buffer.concat(fields.map((field) => bytes.subarray(field.start, field.end)));
}
