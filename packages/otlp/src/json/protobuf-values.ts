import { varint32Length } from "../wire/varint.js";
import type { ByteWriter } from "./byte-writer.js";

/** Room that each of these functions needs, reserved by the caller. */
export const MAX_SCALAR_BYTES = 10;

/** Appends an unsigned 32-bit integer as a varint. */
export function appendVarint32(writer: ByteWriter, value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    writer.bytes[writer.length++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  writer.bytes[writer.length++] = rest;
}

/** Appends a 64-bit integer, given as two halves of 32 bits, as a varint. */
export function appendVarint64(writer: ByteWriter, high: number, low: number): void {
  const { bytes } = writer;
  let length = writer.length;
  let upper = high >>> 0;
  let lower = low >>> 0;
  while (upper > 0 || lower > 0x7f) {
    bytes[length++] = (lower & 0x7f) | 0x80;
    lower = ((lower >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
  }
  bytes[length++] = lower;
  writer.length = length;
}

/** Appends 32 bits, least significant byte first. */
export function appendFixed32(writer: ByteWriter, value: number): void {
  writer.view.setInt32(writer.length, value, true);
  writer.length += 4;
}

/** Appends 64 bits, given as two halves of 32 bits, least significant byte first. */
export function appendFixed64(writer: ByteWriter, high: number, low: number): void {
  writer.view.setInt32(writer.length, low, true);
  writer.view.setInt32(writer.length + 4, high, true);
  writer.length += 8;
}

/** Appends a double. */
export function appendDouble(writer: ByteWriter, value: number): void {
  writer.view.setFloat64(writer.length, value, true);
  writer.length += 8;
}

/** Appends a float of 32 bits. */
export function appendFloat(writer: ByteWriter, value: number): void {
  writer.view.setFloat32(writer.length, value, true);
  writer.length += 4;
}

/**
 * Writes the length of what was appended since `contentStart` into the `reservedBytes` before it.
 *
 * The content moves when its length takes another number of bytes, so that the length is always
 * written in its shortest form.
 *
 * @returns the number of bytes that the length took
 */
export function closeLengthDelimited(
  writer: ByteWriter,
  contentStart: number,
  reservedBytes: number,
): number {
  const contentLength = writer.length - contentStart;
  const lengthBytes = varint32Length(contentLength);
  const lengthStart = contentStart - reservedBytes;
  if (lengthBytes !== reservedBytes) {
    writer.reserve(MAX_SCALAR_BYTES);
    writer.bytes.copyWithin(lengthStart + lengthBytes, contentStart, writer.length);
  }
  writer.length = lengthStart;
  appendVarint32(writer, contentLength);
  writer.length += contentLength;
  return lengthBytes;
}
