import { createHash } from "node:crypto";
import { encodeAnyValue } from "@inode-gateway/otlp";
import { readTypedValue } from "./typed-value.js";

/**
 * The AnyValue message of a value's SHA-256 in lower-case hexadecimal, as the Collector hashes it.
 *
 * Text is hashed as UTF-8, a bool as one byte, an int and a double as eight bytes, little endian; every
 * other value becomes empty text.
 */
export function hashValue(message: Uint8Array): Uint8Array {
  const hashed = hashedBytes(message);
  if (hashed === undefined) return encodeAnyValue("");
  return encodeAnyValue(createHash("sha256").update(hashed).digest("hex"));
}

function hashedBytes(message: Uint8Array): Uint8Array | undefined {
  const { type, value } = readTypedValue(message);
  switch (type) {
    case "string":
      return Buffer.from(value as string);
    case "bool":
      return Uint8Array.of(value === true ? 1 : 0);
    case "int": {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(value as number | bigint));
      return bytes;
    }
    case "double": {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      return bytes;
    }
    case "empty":
    case "array":
    case "map":
    case "bytes":
      return undefined;
  }
}
