import { createUnaryChannel, createUnaryServer } from "@inode-gateway/grpc";
import type { GrpcImplementation } from "./implementation.js";
import { runGrpcSuite } from "./suite.js";

const grpcJs: GrpcImplementation = {
  name: "grpc-js",
  capabilities: new Set(),
  createUnaryServer,
  createUnaryChannel,
};

runGrpcSuite(grpcJs);
