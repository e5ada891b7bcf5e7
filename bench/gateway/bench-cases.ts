import { gzipSync } from "node:zlib";
import { protobufToJson } from "@inode-gateway/otlp";
import { buildRequest } from "@inode-gateway/testkit";

/** One load: what a client sends and how. */
export interface BenchCase {
  readonly name: string;
  readonly protocol: "grpc" | "http";
  readonly contentType: "application/x-protobuf" | "application/json";
  readonly isGzip: boolean;
  readonly spansPerRequest: number;
}

/** Different bodies in turn, so that neither gzip nor a cache sees one body again and again. */
export const bodiesPerCase = 64;

/** Node whose containers the bodies claim to come from; `mappingLines` knows them. */
const bootId = "6d1f1e9c-4f0b-4f3a-9a1c-2f8f5f0c7b11";

const firstInode = 4_000;

const base: Omit<BenchCase, "name" | "spansPerRequest"> = {
  protocol: "grpc",
  contentType: "application/x-protobuf",
  isGzip: false,
};

/** Every case of the bench, by the name that `--case` takes. */
export const benchCases: readonly BenchCase[] = [
  { ...base, name: "grpc-512", spansPerRequest: 512 },
  { ...base, name: "grpc-100", spansPerRequest: 100 },
  { ...base, name: "grpc-10", spansPerRequest: 10 },
  { ...base, name: "http-protobuf-512", protocol: "http", spansPerRequest: 512 },
  { ...base, name: "grpc-gzip-512", isGzip: true, spansPerRequest: 512 },
  {
    ...base,
    name: "http-json-512",
    protocol: "http",
    contentType: "application/json",
    spansPerRequest: 512,
  },
];

/** The request bodies of a case, seeded: the same in every run and on every machine. */
export function buildBodies(benchCase: BenchCase): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let index = 0; index < bodiesPerCase; index++) {
    let body = buildRequest("traces", {
      seed: 1_000 + index,
      itemsPerScope: benchCase.spansPerRequest,
      resourceAttributes: () => resourceOf(index),
    });
    if (benchCase.contentType === "application/json") body = protobufToJson("traces", body);
    bodies.push(benchCase.isGzip ? gzipSync(body, { level: 1 }) : body);
  }
  return bodies;
}

/** The Resource of one body, of the container that `mappingLines` has for it. */
export function resourceOf(index: number): Record<string, string | number> {
  return {
    "service.name": `bench-service-${index}`,
    "service.version": "1.4.2",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "2.11.0",
    "container.cgroup.inode": firstInode + index,
    "host.boot.id": bootId,
  };
}

/** What the registry knows: one container for each body, in the format of `registry import`. */
export function mappingLines(): string {
  const lines: string[] = [];
  for (let index = 0; index < bodiesPerCase; index++) {
    lines.push(
      JSON.stringify({
        boot_id: bootId,
        inode: firstInode + index,
        container_id: (0xabcdef + index).toString(16).padStart(64, "0"),
        "k8s.pod.uid": `5449328a-3884-4605-834c-${index.toString(16).padStart(12, "0")}`,
      }),
    );
  }
  return `${lines.join("\n")}\n`;
}
