import { compress } from "snappyjs";
import { crc32c } from "./crc32c.js";
import { decodeSnappyBlockInto, SnappyError, snappyBlockBytes } from "./snappy-block.js";

// The framing format: https://github.com/google/snappy/blob/main/framing_format.txt

const STREAM_IDENTIFIER = Buffer.from([0xff, 6, 0, 0, ...Buffer.from("sNaPpY")]);
const COMPRESSED = 0x00;
const UNCOMPRESSED = 0x01;
const IDENTIFIER = 0xff;
/** Types from here on up to the identifier may be passed over, the ones below it not. */
const SKIPPABLE_FROM = 0x80;
/** Uncompressed bytes of one chunk, by the format. */
const CHUNK_BYTES_MAX = 65_536;
const CHECKSUM_BYTES = 4;

interface Chunk {
  readonly isCompressed: boolean;
  readonly checksum: number;
  readonly data: Uint8Array;
  readonly byteLength: number;
}

/**
 * Bytes that a snappy stream says it holds, uncompressed: to be checked against a limit before
 * {@link decodeSnappyFrames} allocates them. Reads the chunks' headers only.
 *
 * @throws SnappyError
 */
export function snappyFramesBytes(stream: Uint8Array): number {
  let byteLength = 0;
  for (const chunk of chunksOf(stream)) byteLength += chunk.byteLength;
  return byteLength;
}

/**
 * Decodes a stream of the snappy framing format, and checks its checksums.
 *
 * @throws SnappyError
 */
export function decodeSnappyFrames(stream: Uint8Array): Buffer {
  const output = Buffer.allocUnsafe(snappyFramesBytes(stream));
  let written = 0;
  for (const { byteLength, checksum, data, isCompressed } of chunksOf(stream)) {
    const plain = output.subarray(written, written + byteLength);
    if (isCompressed) decodeSnappyBlockInto(data, plain);
    else plain.set(data);
    if (masked(crc32c(plain)) !== checksum) throw new SnappyError("a chunk's checksum is wrong");
    written += byteLength;
  }
  return output;
}

/** Compresses as a stream of the snappy framing format, as Go's `snappy.NewBufferedWriter` does. */
export function encodeSnappyFrames(plain: Uint8Array): Buffer {
  const parts: Uint8Array[] = [STREAM_IDENTIFIER];
  for (let at = 0; at < plain.length; at += CHUNK_BYTES_MAX) {
    const chunk = plain.subarray(at, at + CHUNK_BYTES_MAX);
    const packed = compress(chunk);
    // As Go: an eighth must be gained, or reading it is not worth while.
    const isCompressed = packed.length < chunk.length - chunk.length / 8;
    const data = isCompressed ? packed : chunk;
    const header = Buffer.allocUnsafe(4 + CHECKSUM_BYTES);
    header.writeUInt8(isCompressed ? COMPRESSED : UNCOMPRESSED, 0);
    header.writeUIntLE(data.length + CHECKSUM_BYTES, 1, 3);
    header.writeUInt32LE(masked(crc32c(chunk)), 4);
    parts.push(header, data);
  }
  return Buffer.concat(parts);
}

/** Compresses as one block of the raw snappy format, without framing. */
export function encodeSnappyBlock(plain: Uint8Array): Uint8Array {
  return compress(plain);
}

function* chunksOf(stream: Uint8Array): Generator<Chunk> {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 4) throw new SnappyError("the stream ends inside a chunk's header");
    const type = bytes.readUInt8(at);
    const end = at + 4 + bytes.readUIntLE(at + 1, 3);
    if (end > bytes.length) throw new SnappyError("the stream ends inside a chunk");
    if (at === 0 && type !== IDENTIFIER) throw new SnappyError("the stream has no identifier");
    if (type === IDENTIFIER) {
      const isRight = bytes.subarray(at, end).equals(STREAM_IDENTIFIER);
      if (!isRight) throw new SnappyError("the stream has another identifier than snappy's");
    } else if (type === COMPRESSED || type === UNCOMPRESSED) {
      yield chunkOf(bytes.subarray(at + 4, end), type === COMPRESSED);
    } else if (type < SKIPPABLE_FROM) {
      throw new SnappyError(`a chunk has the reserved type ${type}`);
    }
    at = end;
  }
}

function chunkOf(content: Buffer, isCompressed: boolean): Chunk {
  if (content.length < CHECKSUM_BYTES)
    throw new SnappyError("a chunk is shorter than its checksum");
  const data = content.subarray(CHECKSUM_BYTES);
  const byteLength = isCompressed ? snappyBlockBytes(data) : data.length;
  if (byteLength > CHUNK_BYTES_MAX) {
    throw new SnappyError(
      `a chunk holds ${byteLength} bytes, the format allows ${CHUNK_BYTES_MAX}`,
    );
  }
  return { isCompressed, checksum: content.readUInt32LE(0), data, byteLength };
}

// The format's own guard against checksums of data that itself holds checksums.
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282_ead8) >>> 0;
}
