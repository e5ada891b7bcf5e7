import type {
  UnaryChannel,
  UnaryChannelOptions,
  UnaryHandler,
  UnaryServer,
  UnaryServerOptions,
} from "@inode-gateway/grpc";

/**
 * Guarantees that an implementation may lack, each with the case that proves it.
 *
 * A suite runs the case for those that claim it; an implementation that does not claim one names it
 * in its README, which a test checks.
 */
export const capabilities = [
  /** `user-agent` is what was configured, with nothing behind it. */
  "exact-user-agent",
  /** The client refuses a response whose compressed flag is neither 0 nor 1. */
  "strict-response-flag",
  /** A header list of any size is answered with a status, and the connection goes on. */
  "status-for-any-header-list",
] as const;

type Capability = (typeof capabilities)[number];

/** One implementation of unary gRPC on bytes, as the suite takes it. */
export interface GrpcImplementation {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  createUnaryServer(
    options: UnaryServerOptions,
    handlers: ReadonlyMap<string, UnaryHandler>,
  ): UnaryServer;
  createUnaryChannel(options: UnaryChannelOptions): UnaryChannel;
}
