import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Signal } from "@inode-gateway/contract";
import { protobufToJson } from "@inode-gateway/otlp";
import { buildRequest } from "@inode-gateway/testkit";
import { type Answer, readStatus } from "./otlp/http-client.js";

/** Uniform in [0, 1), from a seed. */
export type Random = () => number;

const signals = ["traces", "metrics", "logs"] as const satisfies readonly Signal[];
/** Where each signal is sent over HTTP. */
export const httpPaths = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
} as const;

const below = (random: Random, end: number) => Math.floor(random() * end);
/** One of several values. */
export const oneOf = <T>(random: Random, values: readonly T[]): T =>
  values[below(random, values.length)] as T;

/** Valid requests of all signals, small and large, as protobuf. */
export const corpus = signals.flatMap((signal) =>
  [1, 3, 20, 80].map((itemsPerScope, index) => ({
    signal,
    bytes: Buffer.from(
      buildRequest(signal, { itemsPerScope, seed: index + 1, resources: 1 + (index % 2) }),
    ),
  })),
);

type Mutation = (random: Random, bytes: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  // Flipped bits: lengths, tags and text alike.
  (random, bytes) => {
    const copy = Buffer.from(bytes);
    for (let flips = 1 + below(random, 8); flips > 0; flips--) {
      const at = below(random, copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << below(random, 8));
    }
    return copy;
  },
  // Bytes that mean the most to a parser.
  (random, bytes) => {
    const copy = Buffer.from(bytes);
    copy[below(random, copy.length)] = oneOf(
      random,
      [0x00, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x5c, 0x7b],
    );
    return copy;
  },
  // Cut off.
  (random, bytes) => bytes.subarray(0, below(random, bytes.length)),
  // A piece missing in the middle.
  (random, bytes) => {
    const from = below(random, bytes.length);
    const until = Math.min(bytes.length, from + 1 + below(random, 64));
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(until)]);
  },
  // A piece twice, or somewhere else.
  (random, bytes) => {
    const from = below(random, bytes.length);
    const piece = bytes.subarray(from, from + 1 + below(random, 64));
    const at = below(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  },
  // Noise behind, before or alone.
  (random, bytes) => {
    const noise = Buffer.from(
      Array.from({ length: 1 + below(random, 64) }, () => below(random, 256)),
    );
    return oneOf(random, [Buffer.concat([bytes, noise]), Buffer.concat([noise, bytes]), noise]);
  },
  // A length that claims gigabytes.
  (random, bytes) => {
    const at = below(random, bytes.length);
    const claim = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    return Buffer.concat([bytes.subarray(0, at), claim, bytes.subarray(at)]);
  },
  // Depth.
  (random) => {
    let nested = Buffer.of();
    for (let depth = below(random, 300); depth > 0; depth--) {
      const length: number[] = [];
      let rest = nested.length;
      for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
      nested = Buffer.concat([
        Buffer.of(oneOf(random, [0x0a, 0x12, 0x2a, 0x0b]), ...length, rest),
        nested,
      ]);
    }
    return nested;
  },
  // Nothing wrong: mutation must not be confused with refusal.
  (_random, bytes) => bytes,
];

/** A request with one thing wrong, or with nothing wrong. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  return oneOf(random, mutations)(random, bytes);
}

/** Runs `count` tasks, at most `concurrent` at the same time. */
export async function inParallel(
  count: number,
  concurrent: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await task(index);
  };
  await Promise.all(Array.from({ length: concurrent }, worker));
}

/** An HTTP request as it is sent. */
export interface MadeRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A mutated body in either encoding, compressed before or after the mutation, under honest or false headers. */
export function httpRequest(random: Random): MadeRequest {
  const { bytes, signal } = oneOf(random, corpus);
  const isJson = random() < 0.4;
  const plain = isJson ? Buffer.from(protobufToJson(signal, bytes)) : bytes;
  const compression = oneOf(random, ["none", "none", "before", "after"] as const);
  let body: Buffer;
  if (compression === "none") body = mutate(random, plain);
  else if (compression === "before") body = mutate(random, gzipSync(plain, { level: 1 }));
  else body = gzipSync(mutate(random, plain), { level: 1 });
  const honestType = isJson ? "application/json" : "application/x-protobuf";
  const headers: Record<string, string> = {
    "content-type": random() < 0.05 ? oneOf(random, falseTypes) : honestType,
  };
  if (compression !== "none") headers["content-encoding"] = "gzip";
  if (random() < 0.05) headers["content-encoding"] = oneOf(random, ["gzip", "br", "zlib", "x"]);
  const path = random() < 0.03 ? "/v1/nothing" : httpPaths[signal];
  return { path, headers, body };
}

const falseTypes = ["application/json", "application/x-protobuf", "text/plain", "application/grpc"];

/** An HTTP answer must be one that OTLP allows, in the encoding that the request named. */
export function assertLegalAnswer(answer: Answer, contentType: string): void {
  assert.ok([200, 400, 404, 415].includes(answer.status), `status ${answer.status}`);
  const isProtobuf = contentType === "application/x-protobuf";
  const expectedType = isProtobuf ? "application/x-protobuf" : "application/json";
  assert.equal(answer.headers["content-type"], expectedType);
  if (answer.status === 200) {
    assert.equal(answer.body.toString(), isProtobuf ? "" : "{}");
    return;
  }
  const status = readStatus(answer);
  assert.ok(status.code === 3 || status.code === 12, `code ${status.code}`);
  assert.notEqual(status.message, "");
}

/** A method that no receiver has. */
export const unknownMethod = "/nowhere.Service/Export";

/** The end of a gRPC call must be one that OTLP allows for a request that may be broken. */
export function assertLegalStatus(code: number, message: string, path: string): void {
  const isLegal = code === 0 || code === 3 || (code === 12 && path === unknownMethod);
  assert.ok(isLegal, `grpc-status ${code}: ${message}`);
}
