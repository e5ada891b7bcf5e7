import * as zlib from "node:zlib";

/** The first Node.js with zstd, for messages. */
export const ZSTD_NODE_VERSION = "22.15";

/** Options of Node's zstd functions that are used here. */
export interface ZstdOptions {
  /** Bytes per piece of output. */
  readonly chunkSize?: number;
  readonly maxOutputLength?: number;
  readonly params?: Readonly<Record<number, number>>;
}

/** What `info: true` gives: `bytesWritten` counts the bytes of input that were used. */
export interface ZstdResult {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** The zstd functions of node:zlib, which the types for Node.js 20 do not know. */
export interface Zstd {
  zstdCompressSync(bytes: Uint8Array, options: ZstdOptions): Buffer;
  zstdCompress(
    bytes: Uint8Array,
    options: ZstdOptions,
    done: (error: Error | null, packed: Buffer) => void,
  ): void;
  zstdDecompressSync(bytes: Uint8Array, options: ZstdOptions & { info: true }): ZstdResult;
  zstdDecompress(
    bytes: Uint8Array,
    options: ZstdOptions & { info: true },
    done: (error: Error | null, result: ZstdResult) => void,
  ): void;
  createZstdDecompress(options: ZstdOptions): NodeJS.ReadWriteStream & {
    readonly bytesWritten: number;
  };
}

/** Node's zstd; undefined where this Node has none. */
export const zstd: Zstd | undefined =
  "zstdDecompressSync" in zlib ? (zlib as unknown as Zstd) : undefined;

/** Numbers of parameters in zstd.h, which Node takes as they are. */
const COMPRESSION_LEVEL = 100;
const WINDOW_LOG_MAX = 100;

/**
 * Frames in one message; a frame of nothing is nine bytes and 20 us of work, so a message of them
 * would be an attack. Nobody sends more than one for each part that was compressed on its own.
 */
export const ZSTD_FRAMES_MAX = 1_000;

/** The window of the strongest level of Go's encoder, 32 MiB; a sender may use it for a small message. */
const WINDOW_LOG_LEAST = 25;

/**
 * Parameters to compress with `level`, 1 to 19; the default is zstd's own, 3. The levels above ask
 * their reader for a window of up to 128 MiB, which many refuse.
 */
export function zstdCompressOptions(level = 3): ZstdOptions {
  return { params: { [COMPRESSION_LEVEL]: level } };
}

/**
 * Parameters to decompress with: a frame may not ask for a larger window than a message of
 * `limitBytes` can fill, or Go's encoder asks for. zstd commits a window only as it is filled.
 */
export function zstdDecompressOptions(limitBytes: number): ZstdOptions {
  const windowLog = Math.ceil(Math.log2(Math.max(limitBytes, 1)));
  return { params: { [WINDOW_LOG_MAX]: Math.min(Math.max(windowLog, WINDOW_LOG_LEAST), 27) } };
}
