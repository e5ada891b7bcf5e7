import { addressCases } from "./addresses.js";
import { callCases } from "./calls.js";
import { capabilityListCases } from "./capability-list.js";
import { closingCases } from "./closing.js";
import { connectionCases } from "./connections.js";
import { deadlineCases } from "./deadlines.js";
import { illegalRequestCases } from "./illegal-requests.js";
import type { GrpcImplementation } from "./implementation.js";
import { limitCases } from "./limits.js";
import { peerCases } from "./peers.js";
import { tlsCases } from "./tls.js";

/** Runs everything that holds for every implementation of `@inode-gateway/grpc`. */
export function runGrpcSuite(implementation: GrpcImplementation): void {
  callCases(implementation);
  limitCases(implementation);
  deadlineCases(implementation);
  illegalRequestCases(implementation);
  addressCases(implementation);
  tlsCases(implementation);
  connectionCases(implementation);
  closingCases(implementation);
  peerCases(implementation);
  capabilityListCases(implementation);
}
