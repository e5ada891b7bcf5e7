import { promisify } from "node:util";
import { deflate, deflateSync, gzip, gzipSync } from "node:zlib";
import type { Batch } from "@inode-gateway/contract";
import { protobufToJson } from "@inode-gateway/otlp";

/** How a request's body is written. */
export interface BodyFormat {
  readonly encoding: "proto" | "json";
  readonly compression: "gzip" | "zlib" | "none";
  /** zlib's, -1 to 9. */
  readonly level: number;
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

const gzipInThread = promisify<Uint8Array, { level: number }, Buffer>(gzip);
const deflateInThread = promisify<Uint8Array, { level: number }, Buffer>(deflate);

/** Writes a batch as the body of one request. */
export async function requestBody(batch: Batch, format: BodyFormat): Promise<RequestBody> {
  const { compression, encoding, level } = format;
  if (compression === "none" && encoding === "proto") return batch;
  const plain = encoding === "json" ? protobufToJson(batch.signal, batch.bytes) : batch.bytes;
  if (compression === "none") return whole(plain);
  if (plain.byteLength <= SYNC_COMPRESS_BYTES_MAX) {
    return whole((compression === "gzip" ? gzipSync : deflateSync)(plain, { level }));
  }
  return whole(await (compression === "gzip" ? gzipInThread : deflateInThread)(plain, { level }));
}

function whole(bytes: Uint8Array): RequestBody {
  return { chunks: [bytes], byteLength: bytes.byteLength };
}
