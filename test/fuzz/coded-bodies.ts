import { deflateSync, gzipSync } from "node:zlib";
import {
  encodeSnappyBlock,
  encodeSnappyFrames,
  zstd,
  zstdCompressOptions,
} from "@inode-gateway/grpc";
import { protobufToJson } from "@inode-gateway/otlp";
import { corpus, mutate, oneOf, type Random } from "../conformance/mutated-requests.js";

/** Compresses a whole body. */
export type Encode = (bytes: Buffer) => Buffer;

const zstdEncode: Encode | undefined =
  zstd && ((bytes) => zstd?.zstdCompressSync(bytes, zstdCompressOptions()) ?? bytes);

/** Content codings of HTTP by name; zstd only where this Node has it. */
export const httpCodings: Readonly<Record<string, Encode>> = {
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  zlib: (bytes) => deflateSync(bytes, { level: 9 }),
  snappy: (bytes) => Buffer.from(encodeSnappyBlock(bytes)),
  "x-snappy-framed": (bytes) => Buffer.from(encodeSnappyFrames(bytes)),
  ...(zstdEncode === undefined ? {} : { zstd: zstdEncode }),
};

/** Message encodings of gRPC by name. */
export const grpcCodings: Readonly<Record<string, Encode>> = {
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  snappy: (bytes) => Buffer.from(encodeSnappyFrames(bytes)),
  ...(zstdEncode === undefined ? {} : { zstd: zstdEncode }),
};

const jsonCorpus = corpus.map(({ bytes, signal }) => ({
  signal,
  bytes: Buffer.from(protobufToJson(signal, bytes)),
}));

/** A valid body of either encoding. */
export function validBody(random: Random) {
  const isJson = random() < 0.4;
  const { bytes, signal } = oneOf(random, isJson ? jsonCorpus : corpus);
  return { bytes, signal, contentType: isJson ? jsonType : protobufType };
}

const jsonType = "application/json";
const protobufType = "application/x-protobuf";

/** A body with one thing wrong in it, or in its compressed form, or in neither. */
export function codedBody(
  random: Random,
  plain: Buffer,
  codings: Readonly<Record<string, Encode>>,
): { readonly bytes: Buffer; readonly coding: string | undefined } {
  if (random() < 0.4) return { bytes: mutate(random, plain), coding: undefined };
  const coding = oneOf(random, Object.keys(codings));
  const encode = codings[coding] ?? ((bytes: Buffer) => bytes);
  // Broken before, behind, or joined with another stream of the same coding.
  const way = random();
  if (way < 0.4) return { bytes: encode(mutate(random, plain)), coding };
  if (way < 0.9) return { bytes: mutate(random, encode(plain)), coding };
  return { bytes: Buffer.concat([encode(plain), encode(mutate(random, plain))]), coding };
}
