import { serverTls } from "@inode-gateway/config";
import { z } from "zod";
import { timerDuration } from "../../transport/timer-duration.js";
import {
  authConfig,
  DEFAULT_MAX_REQUEST_MIB,
  maxConnections,
  middlewares,
  refuseUnlistenable,
} from "./protocol-config.js";

/** Node reads and writes in pieces of its own choice. */
const bufferSize = (direction: string) =>
  z
    .int()
    .nonnegative()
    .optional()
    .describe(
      `No effect: accepted so that a Collector's file loads unchanged. Node chooses the sizes in which it ${direction}s.`,
    );

const keepaliveConfig = z.strictObject({
  server_parameters: z
    .strictObject({
      max_connection_idle: timerDuration()
        .optional()
        .describe("Duration after which a connection without calls is closed; unset keeps it."),
      max_connection_age: timerDuration()
        .optional()
        .describe(
          "Duration after which a connection is closed so that clients spread over new replicas; unset keeps it.",
        ),
      max_connection_age_grace: timerDuration()
        .optional()
        .describe(
          "Duration that running calls get after `max_connection_age`; unset is unlimited.",
        ),
      time: timerDuration()
        .optional()
        .describe("Duration without traffic after which the client is pinged; unset never pings."),
      timeout: timerDuration()
        .optional()
        .describe("Duration a ping may stay unanswered before the connection is closed."),
    })
    .optional()
    .describe("When connections are probed and closed."),
  enforcement_policy: z
    .strictObject({
      min_time: timerDuration()
        .prefault("5m")
        .describe(
          "Shortest time between two pings of a client to which nothing was sent in between; the third ping that comes earlier closes its connection.",
        ),
      permit_without_stream: z
        .boolean()
        .default(false)
        .describe(
          "Whether clients without calls under way may ping at `min_time`; otherwise every two hours.",
        ),
    })
    .prefault({})
    .describe("How often clients may ping; the defaults are those of gRPC."),
});

/** What an operator may write under `protocols::grpc`. */
export const grpcProtocolConfig = z
  .strictObject({
    endpoint: z
      .string()
      .min(1, "must not be empty")
      .default("localhost:4317")
      .describe(
        "`host:port` to listen on, or a path with `transport: unix`; local only unless told otherwise.",
      ),
    transport: z
      .enum(["tcp", "tcp4", "tcp6", "unix"])
      .default("tcp")
      .describe("Kind of socket to listen on."),
    tls: serverTls()
      .optional()
      .describe("Certificate and key of the server; absent means plaintext."),
    max_recv_msg_size_mib: z
      .int()
      .positive()
      .max(2047)
      .default(DEFAULT_MAX_REQUEST_MIB)
      .describe(
        "Largest request after decompression, MiB; a larger one is answered RESOURCE_EXHAUSTED. OTLP recommends 64.",
      ),
    max_concurrent_streams: z
      .int()
      .positive()
      .max(2_147_483_647)
      .optional()
      .describe("Calls at the same time on one connection; unset is 1000."),
    max_connections: maxConnections(),
    read_timeout: timerDuration()
      .prefault("1m")
      .describe(
        "Longest time from a call's headers to the end of its message; 0s waits for ever. A message that trickles in holds memory.",
      ),
    read_buffer_size: bufferSize("read"),
    write_buffer_size: bufferSize("write"),
    keepalive: keepaliveConfig.prefault({}).describe("Keepalive of connections, as in gRPC."),
    auth: authConfig().optional().describe("Who may send; absent lets everybody in."),
    middlewares: middlewares(),
    include_metadata: z
      .boolean()
      .default(false)
      .describe("Whether request metadata travels with the batch, for processors that ask for it."),
  })
  .superRefine(refuseUnlistenable);

/** The checked section `protocols::grpc`. */
export type GrpcConfig = z.output<typeof grpcProtocolConfig>;
