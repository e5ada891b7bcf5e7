import { fromHalves } from "./varint.js";

const scratch = new DataView(new ArrayBuffer(8));

/** Four bytes, little endian, unsigned. */
export function readFixed32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) |
      ((bytes[offset + 1] ?? 0) << 8) |
      ((bytes[offset + 2] ?? 0) << 16) |
      ((bytes[offset + 3] ?? 0) << 24)) >>>
    0
  );
}

/** Eight bytes, little endian, unsigned, as a bigint: times in nanoseconds are never safe numbers. */
export function readFixed64(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(readFixed32(bytes, offset + 4)) << 32n) | BigInt(readFixed32(bytes, offset));
}

/** Eight bytes, little endian, signed; a number when it is a safe integer, else a bigint. */
export function readSfixed64(bytes: Uint8Array, offset: number): number | bigint {
  return fromHalves(readFixed32(bytes, offset + 4) | 0, readFixed32(bytes, offset));
}

/** Eight bytes of a double, little endian. */
export function readDouble(bytes: Uint8Array, offset: number): number {
  scratch.setUint32(0, readFixed32(bytes, offset), true);
  scratch.setUint32(4, readFixed32(bytes, offset + 4), true);
  return scratch.getFloat64(0, true);
}
