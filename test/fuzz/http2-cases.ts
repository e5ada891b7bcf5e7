import { FrameType } from "../conformance/floods/frames.js";
import { corpus, httpPaths, mutate, oneOf, type Random } from "../conformance/mutated-requests.js";
import { exportPaths } from "../conformance/otlp/grpc-client.js";
import { codedBody, grpcCodings, httpCodings } from "./coded-bodies.js";
import type { MakeCase } from "./fuzz-case.js";
import { type FrameParts, mutateFrames, preface, requestFrames, toBytes } from "./http2-frames.js";
import { mutateHeaders } from "./http2-headers.js";
import { type Http2Protocol, Http2Reader } from "./http2-reader.js";
import { playOnSocket } from "./raw-exchange.js";

/** Four of them fit into the window that a client has before it is given more. */
const BODY_BYTES_MAX = 12_000;
const smallCorpus = corpus.filter(({ bytes }) => bytes.length < BODY_BYTES_MAX);
const falseLengths = [0, 1, 0x7fff_ffff, 0xffff_ffff, 67_108_865];

/** Legal frames and headers around messages that are broken, or whose compression or prefix is. */
export const grpcMessageCase: MakeCase = (random) => {
  const protocol = random() < 0.1 ? "http" : "grpc";
  return connection(random, protocol, { headers: false, frames: false });
};

/** Requests of which the header fields are wrong. */
export const http2HeadersCase: MakeCase = (random) => {
  const protocol = random() < 0.15 ? "http" : "grpc";
  return connection(random, protocol, { headers: true, frames: false });
};

/** Requests of which frames are wrong: lengths, types, flags, streams, order, HPACK bytes. */
export const http2FramesCase: MakeCase = (random) => {
  const protocol = random() < 0.15 ? "http" : "grpc";
  return connection(random, protocol, { headers: random() < 0.1, frames: true });
};

function connection(
  random: Random,
  protocol: Http2Protocol,
  wrong: { readonly headers: boolean; readonly frames: boolean },
) {
  const requests = 1 + Math.floor(random() * 4);
  let frames: FrameParts[] = [];
  for (let index = 0; index < requests; index++) {
    const { body, fields } = request(random, protocol);
    const sent = wrong.headers ? mutateHeaders(random, fields) : fields;
    frames.push(...requestFrames(random, 2 * index + 1, sent, body));
  }
  if (random() < 0.5) frames = interleaved(random, frames);
  if (wrong.frames) frames = mutateFrames(random, frames);
  let bytes = toBytes(frames);
  if (wrong.frames && random() < 0.1) bytes = mutate(random, bytes);
  const at = Math.floor(random() * bytes.length);
  const isSplit = random() < 0.3;
  const parts = isSplit ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
  const mustAnswer = !(wrong.headers || wrong.frames);
  const endsWithReset = !mustAnswer && random() < 0.2;
  return {
    requests,
    play: async ({ grpc, https }: Parameters<ReturnType<MakeCase>["play"]>[0]) => {
      const reader = new Http2Reader(protocol, requests);
      const endpoint = protocol === "grpc" ? grpc : https;
      const script = { endpoint, parts: [preface(), ...parts], reader, mustAnswer, endsWithReset };
      const problems = await playOnSocket(script);
      const answered = reader.outcomes.length;
      if (mustAnswer && answered !== requests && problems.length === 0) {
        problems.push(`${answered} answers to ${requests} requests: ${reader.outcomes.join()}`);
      }
      return { outcomes: reader.outcomes, problems };
    },
  };
}

function request(random: Random, protocol: Http2Protocol) {
  const { bytes, signal } = oneOf(random, smallCorpus);
  const isGrpc = protocol === "grpc";
  const { bytes: body, coding } = codedBody(random, bytes, isGrpc ? grpcCodings : httpCodings);
  const fields: [string, string][] = [
    [":method", "POST"],
    [":scheme", isGrpc ? "http" : "https"],
    [":path", isGrpc ? exportPaths[signal] : httpPaths[signal]],
    [":authority", "localhost"],
    ["content-type", isGrpc ? "application/grpc" : "application/x-protobuf"],
  ];
  if (isGrpc) fields.push(["te", "trailers"]);
  if (coding !== undefined) fields.push([isGrpc ? "grpc-encoding" : "content-encoding", coding]);
  return { fields, body: isGrpc ? message(random, body, coding !== undefined) : body };
}

/** A gRPC message behind its five bytes, which are wrong now and then. */
function message(random: Random, bytes: Buffer, isCompressed: boolean): Buffer {
  const prefix = Buffer.alloc(5);
  const flag = isCompressed ? 1 : 0;
  prefix[0] = random() < 0.05 ? Math.floor(random() * 256) : flag;
  const length = random() < 0.05 ? oneOf(random, falseLengths) : bytes.length;
  prefix.writeUInt32BE(length, 1);
  const whole = Buffer.concat([prefix, bytes]);
  if (random() < 0.03) return Buffer.concat([whole, whole]);
  return random() < 0.03 ? whole.subarray(0, Math.floor(random() * 6)) : whole;
}

/** Frames of different streams mixed; headers stay whole, and in the order of their streams. */
function interleaved(random: Random, frames: readonly FrameParts[]): FrameParts[] {
  const heads: FrameParts[] = [];
  const streams = new Map<number, FrameParts[]>();
  for (const each of frames) {
    if (each.type !== FrameType.DATA) heads.push(each);
    else streams.set(each.streamId, [...(streams.get(each.streamId) ?? []), each]);
  }
  const mixed: FrameParts[] = [];
  while (streams.size > 0) {
    const [streamId, own] = oneOf(random, [...streams]);
    mixed.push(...own.splice(0, 1));
    if (own.length === 0) streams.delete(streamId);
  }
  return [...heads, ...mixed];
}
