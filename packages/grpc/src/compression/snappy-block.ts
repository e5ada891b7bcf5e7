/** Largest a block can declare itself; the format has 32 bits. */
const BLOCK_BYTES_MAX = 0xffff_ffff;

/** Literals up to this size are copied in a loop: a call of the engine costs as much as 100 bytes. */
const LOOPED_BYTES_MAX = 100;

/** Bytes that are not what the snappy format allows. */
export class SnappyError extends Error {
  override readonly name = "SnappyError";
}

/**
 * Bytes that a block of the raw snappy format says it holds, uncompressed: to be checked against a
 * limit before {@link decodeSnappyBlock} allocates them.
 *
 * @throws SnappyError when the block does not begin with a length
 */
export function snappyBlockBytes(block: Uint8Array): number {
  return readLength(block).value;
}

/**
 * Decodes one block of the raw snappy format into memory of its own.
 *
 * Never writes or reads beyond what the block declares, whatever it contains.
 *
 * @throws SnappyError
 */
export function decodeSnappyBlock(block: Uint8Array): Buffer {
  const output = Buffer.allocUnsafe(snappyBlockBytes(block));
  decodeSnappyBlockInto(block, output);
  return output;
}

/**
 * Decodes one block into `output`, whose size must be what the block declares.
 *
 * @throws SnappyError; part of `output` may have been written then
 */
export function decodeSnappyBlockInto(block: Uint8Array, output: Buffer): void {
  let { end: at } = readLength(block);
  let written = 0;
  while (at < block.length) {
    const tag = block[at++] ?? 0;
    if ((tag & 3) === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const lengthBytes = length - 59;
        length = littleEndian(block, at, lengthBytes);
        at += lengthBytes;
      }
      length += 1;
      if (length > block.length - at || length > output.length - written) throw broken("literal");
      if (length > LOOPED_BYTES_MAX) {
        output.set(block.subarray(at, at + length), written);
        at += length;
        written += length;
      } else {
        for (const end = at + length; at < end; at++, written++)
          output[written] = block[at] as number;
      }
    } else {
      const kind = tag & 3;
      const offsetBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
      if (offsetBytes > block.length - at) throw broken("tag");
      const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      let offset = block[at] as number;
      if (kind === 1) offset += (tag >>> 5) << 8;
      else if (kind === 2) offset += (block[at + 1] as number) << 8;
      else offset = littleEndian(block, at, 4);
      at += offsetBytes;
      if (offset === 0 || offset > written || length > output.length - written) {
        throw broken("copy");
      }
      // Byte by byte: at most 64 of them, and where source and target overlap a pattern repeats.
      for (const end = written + length; written < end; written++) {
        output[written] = output[written - offset] as number;
      }
    }
  }
  if (written === output.length) return;
  throw new SnappyError(`a block ends after ${written} of the ${output.length} bytes it declares`);
}

function readLength(block: Uint8Array): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 5 && index < block.length; index++) {
    const byte = block[index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80 && value <= BLOCK_BYTES_MAX) return { value, end: index + 1 };
  }
  throw new SnappyError("a block does not begin with its length");
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (count > bytes.length - at) throw broken("tag");
  let value = 0;
  for (let index = 0; index < count; index++) value += (bytes[at + index] ?? 0) * 2 ** (8 * index);
  return value;
}

function broken(what: string): SnappyError {
  return new SnappyError(`a ${what} reaches beyond the block`);
}
