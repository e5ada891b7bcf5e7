import type { Agent } from "undici";
import type { PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import type { Endpoint } from "./raw-exchange.js";

/** Everything a case may send to. */
export interface FuzzAddresses {
  readonly grpc: Endpoint;
  readonly http: Endpoint;
  /** OTLP/HTTP over TLS, where HTTP/2 is spoken too. */
  readonly https: Endpoint;
  /** Keeps connections to `http`, so that a request follows a broken one on the same connection. */
  readonly dispatcher: Agent;
  /** The same for `grpc`. */
  readonly grpcClient: PlainGrpcClient;
}

/** What came of a case. */
export interface PlayedCase {
  /** How each answered request ended, for the report. */
  readonly outcomes: readonly string[];
  /** What the receiver did that no receiver may do. */
  readonly problems: readonly string[];
}

/** One or several mutated requests; all that chance decides is decided before it is played. */
export interface FuzzCase {
  readonly requests: number;
  play(addresses: FuzzAddresses): Promise<PlayedCase>;
}

/** Makes cases of one kind, equal ones from equal numbers. */
export type MakeCase = (random: () => number) => FuzzCase;
