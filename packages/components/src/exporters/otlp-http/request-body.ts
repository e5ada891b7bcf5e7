import { deflate, deflateSync, gzip, gzipSync } from "node:zlib";
import type { Batch } from "@inode-gateway/contract";
import {
  encodeSnappyBlock,
  encodeSnappyFrames,
  zstd,
  zstdCompressOptions,
} from "@inode-gateway/grpc";
import { protobufToJson } from "@inode-gateway/otlp";

/** How a body may be compressed; snappy is the raw format, zstd only where Node has it. */
export type BodyCompression = "gzip" | "zlib" | "zstd" | "snappy" | "x-snappy-framed" | "none";

/** How a request's body is written. */
export interface BodyFormat {
  readonly encoding: "proto" | "json";
  readonly compression: BodyCompression;
  /** Of zlib -1 to 9, of zstd 1 to 19; of the others it says nothing. Default 1, and 3 of zstd. */
  readonly level?: number | undefined;
}

/** A body ready to be sent, in consecutive chunks. */
export interface RequestBody {
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
}

/**
 * Bodies up to this size are compressed on the event loop, in at most about 60 us: handing over to
 * another thread would cost as much. Larger ones would hold up everybody else.
 */
const SYNC_COMPRESS_BYTES_MAX = 16_384;

const ZLIB_LEVEL = 1;

type Done = (error: Error | null, packed: Buffer) => void;

/** One way to compress, on the event loop and beside it. */
interface Compressor {
  sync(plain: Uint8Array): Uint8Array;
  /** Undefined where there is none: snappy is quick, and only on the event loop. */
  readonly inThread?: (plain: Uint8Array, done: Done) => void;
}

/** Writes a batch as the body of one request. */
export async function requestBody(batch: Batch, format: BodyFormat): Promise<RequestBody> {
  const { compression, encoding } = format;
  if (compression === "none" && encoding === "proto") return batch;
  const plain = encoding === "json" ? protobufToJson(batch.signal, batch.bytes) : batch.bytes;
  if (compression === "none") return whole(plain);
  const { inThread, sync } = compressorOf(compression, format.level);
  if (inThread === undefined || plain.byteLength <= SYNC_COMPRESS_BYTES_MAX) {
    return whole(sync(plain));
  }
  return new Promise((resolve, reject) => {
    inThread(plain, (error, packed) => {
      if (error === null) resolve(whole(packed));
      else reject(error);
    });
  });
}

function compressorOf(
  compression: Exclude<BodyCompression, "none">,
  level: number | undefined,
): Compressor {
  switch (compression) {
    case "gzip":
    case "zlib": {
      const options = { level: level ?? ZLIB_LEVEL };
      const [sync, inThread] = compression === "gzip" ? [gzipSync, gzip] : [deflateSync, deflate];
      return {
        sync: (plain) => sync(plain, options),
        inThread: (plain, done) => inThread(plain, options, done),
      };
    }
    case "zstd": {
      const options = zstdCompressOptions(level);
      const functions = zstd;
      if (functions === undefined) throw new Error("this Node.js has no zstd");
      return {
        sync: (plain) => functions.zstdCompressSync(plain, options),
        inThread: (plain, done) => functions.zstdCompress(plain, options, done),
      };
    }
    case "snappy":
      return { sync: encodeSnappyBlock };
    case "x-snappy-framed":
      return { sync: encodeSnappyFrames };
  }
}

function whole(bytes: Uint8Array): RequestBody {
  return { chunks: [bytes], byteLength: bytes.byteLength };
}
