import type { Channel, Metadata } from "@grpc/grpc-js";
import { encodeSnappyFrames } from "../compression/snappy-frames.js";
import { zstd, zstdCompressOptions } from "../compression/zstd.js";
import type { MessageCompression } from "../unary-channel.js";

/** Up to this size zstd works on the event loop, in at most about 200 us; the thread pool costs as much. */
const SYNC_ZSTD_BYTES_MAX = 65_536;

/** The compressed flag and the length, before each gRPC message. */
const FRAME_HEADER_BYTES = 5;

interface OutgoingMessage {
  readonly message: Buffer;
  readonly flags?: number;
}

/** A filter as grpc-js has them, which it does not export. */
interface Filter {
  sendMetadata(metadata: Promise<Metadata>): Promise<Metadata>;
  receiveMetadata<T>(metadata: T): T;
  sendMessage(message: Promise<OutgoingMessage>): Promise<OutgoingMessage>;
  receiveMessage<T>(message: T): T;
  receiveTrailers<T>(status: T): T;
}

/** The inside of a channel that is leaned on here. */
interface ChannelInside {
  readonly internalChannel?: {
    readonly filterStackFactory?: { readonly factories?: { createFilter(): Filter }[] };
  };
}

/**
 * Makes a channel compress in a way that grpc-js does not know; what it knows is left to it.
 *
 * Leans on how grpc-js is built inside: its list of filters is closed, and an interceptor cannot set
 * the compressed flag. The version is pinned, and the suite fails when this is lost.
 *
 * @throws Error when this Node has no zstd; TypeError when grpc-js is built differently
 */
export function compressMessages(channel: Channel, compression: MessageCompression): void {
  if (compression === "none" || compression === "gzip") return;
  if (compression === "zstd" && zstd === undefined) throw new Error("this Node.js has no zstd");
  const factories = (channel as unknown as ChannelInside).internalChannel?.filterStackFactory
    ?.factories;
  if (factories === undefined) {
    throw new TypeError("this version of grpc-js does not keep its filters where expected");
  }
  const compress = compression === "snappy" ? snappy : zstdMessage;
  // Behind grpc-js's own filter, which frames the message and says that it is not compressed.
  factories.push({ createFilter: () => compressingFilter(compression, compress) });
}

function compressingFilter(
  encoding: string,
  compress: (plain: Buffer) => Buffer | Promise<Buffer>,
): Filter {
  return {
    receiveMetadata: (metadata) => metadata,
    receiveMessage: (message) => message,
    receiveTrailers: (status) => status,
    async sendMetadata(pending) {
      const metadata = await pending;
      metadata.set("grpc-encoding", encoding);
      return metadata;
    },
    async sendMessage(pending) {
      const { message: framed, ...rest } = await pending;
      const packed = await compress(framed.subarray(FRAME_HEADER_BYTES));
      const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
      head.writeUInt8(1, 0);
      head.writeUInt32BE(packed.length, 1);
      return { ...rest, message: Buffer.concat([head, packed]) };
    },
  };
}

function snappy(plain: Buffer): Buffer {
  return encodeSnappyFrames(plain);
}

function zstdMessage(plain: Buffer): Buffer | Promise<Buffer> {
  if (zstd === undefined) throw new Error("this Node.js has no zstd");
  const { zstdCompress, zstdCompressSync } = zstd;
  if (plain.length <= SYNC_ZSTD_BYTES_MAX) return zstdCompressSync(plain, zstdCompressOptions());
  return new Promise((resolve, reject) => {
    zstdCompress(plain, zstdCompressOptions(), (error, packed) => {
      if (error === null) resolve(packed);
      else reject(error);
    });
  });
}
