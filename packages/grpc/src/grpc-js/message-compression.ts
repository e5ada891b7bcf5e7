import type { Channel, Metadata } from "@grpc/grpc-js";
import { encodeSnappyFrames } from "../compression/snappy-frames.js";
import { zstd, zstdCompressOptions } from "../compression/zstd.js";
import { decompress } from "../decompress.js";
import { GrpcCode } from "../status.js";
import type { MessageCompression } from "../unary-channel.js";

/** Up to this size zstd works on the event loop, in at most about 200 us; the thread pool costs as much. */
const SYNC_ZSTD_BYTES_MAX = 65_536;

/** The compressed flag and the length, before each gRPC message. */
const FRAME_HEADER_BYTES = 5;
/** The compressed flag when it is set. */
const COMPRESSED = 1;

/** What grpc-js's own filter says that it reads. */
const ACCEPTED_BY_GRPC_JS = "identity,deflate,gzip";

interface OutgoingMessage {
  readonly message: Buffer;
  readonly flags?: number;
}

/** A filter as grpc-js has them, which it does not export. */
interface Filter {
  sendMetadata(metadata: Promise<Metadata>): Promise<Metadata>;
  receiveMetadata(metadata: Metadata): Metadata;
  sendMessage(message: Promise<OutgoingMessage>): Promise<OutgoingMessage>;
  receiveMessage(message: Promise<Buffer>): Promise<Buffer>;
  receiveTrailers<T>(status: T): T;
}

/** The inside of a channel that is leaned on here. */
interface ChannelInside {
  readonly internalChannel?: {
    readonly filterStackFactory?: { readonly factories?: { createFilter(): Filter }[] };
  };
}

/**
 * Makes a channel compress in a way that grpc-js does not know, and read answers compressed so: grpc-go
 * answers as it was asked. What grpc-js knows is left to it.
 *
 * Leans on how grpc-js is built inside: its list of filters is closed, and an interceptor cannot set
 * the compressed flag. The version is pinned, and the suite fails when this is lost.
 *
 * @param limitBytes of a response after decompression
 * @throws Error when this Node has no zstd; TypeError when grpc-js is built differently
 */
export function compressMessages(
  channel: Channel,
  compression: MessageCompression,
  limitBytes: number,
): void {
  if (compression === "none" || compression === "gzip") return;
  if (compression === "zstd" && zstd === undefined) throw new Error("this Node.js has no zstd");
  const factories = (channel as unknown as ChannelInside).internalChannel?.filterStackFactory
    ?.factories;
  if (factories === undefined) {
    throw new TypeError("this version of grpc-js does not keep its filters where expected");
  }
  const compress = compression === "snappy" ? snappy : zstdMessage;
  // Behind grpc-js's own filter, which frames the message and says that it is not compressed.
  factories.push({ createFilter: () => compressingFilter(compression, compress, limitBytes) });
}

function compressingFilter(
  encoding: "snappy" | "zstd",
  compress: (plain: Buffer) => Buffer | Promise<Buffer>,
  limitBytes: number,
): Filter {
  let isAnsweredAlike = false;
  return {
    // Answers come here before grpc-js's own filter looks at them.
    receiveMetadata(metadata) {
      isAnsweredAlike = metadata.get("grpc-encoding")[0] === encoding;
      return metadata;
    },
    async receiveMessage(pending) {
      const message = await pending;
      if (!isAnsweredAlike || message[0] !== COMPRESSED) return message;
      return frame(0, await unpacked(message.subarray(FRAME_HEADER_BYTES), encoding, limitBytes));
    },
    receiveTrailers: (status) => status,
    async sendMetadata(pending) {
      const metadata = await pending;
      metadata.set("grpc-encoding", encoding);
      metadata.set("grpc-accept-encoding", `${ACCEPTED_BY_GRPC_JS},${encoding}`);
      return metadata;
    },
    async sendMessage(pending) {
      const { message: framed, ...rest } = await pending;
      const packed = await compress(framed.subarray(FRAME_HEADER_BYTES));
      return { ...rest, message: frame(COMPRESSED, packed) };
    },
  };
}

function frame(flag: number, content: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** Rejects with a code and details, which is what grpc-js ends the call with. */
function unpacked(
  packed: Buffer,
  encoding: "snappy" | "zstd",
  limitBytes: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    decompress(packed, encoding, limitBytes, (result) => {
      if ("bytes" in result) resolve(result.bytes);
      else reject(Object.assign(new Error("unread response"), failure(result.fault)));
    });
  });
  function failure(fault: "size" | "format") {
    return fault === "size"
      ? {
          code: GrpcCode.RESOURCE_EXHAUSTED,
          details: `the response is larger than ${limitBytes} bytes after decompression`,
        }
      : { code: GrpcCode.INTERNAL, details: `the response is no ${encoding}` };
  }
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
