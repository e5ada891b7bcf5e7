import { z } from "zod";
import { grpcProtocolConfig } from "./grpc-config.js";
import { httpProtocolConfig } from "./http-config.js";

const MIB = 1_048_576;

const receiverConfig = z.strictObject({
  protocols: z
    .strictObject({
      grpc: grpcProtocolConfig
        .optional()
        .describe("OTLP/gRPC; absent is off, present without keys is on with the defaults."),
      http: httpProtocolConfig
        .optional()
        .describe("OTLP/HTTP; absent is off, present without keys is on with the defaults."),
    })
    .prefault({})
    .refine(({ grpc, http }) => grpc !== undefined || http !== undefined, {
      message: "must specify at least one protocol when using the OTLP receiver: `grpc`, `http`",
    })
    .describe("The protocols to listen for; at least one."),
  max_in_flight_bytes: z
    .int()
    .min(1)
    .default(256 * MIB)
    .describe(
      "Bytes of all requests this receiver has read and not answered yet; above it senders are told to come back later (UNAVAILABLE, 503). The default is four requests of the largest size.",
    ),
});

/** What an operator may write under `otlp:` in `receivers`. */
export const otlpReceiverConfig = receiverConfig.superRefine((config, context) => {
  const { grpc, http } = config.protocols;
  const largest = Math.max(
    (grpc?.max_recv_msg_size_mib ?? 0) * MIB,
    http?.max_request_body_size ?? 0,
  );
  if (config.max_in_flight_bytes < largest) {
    context.addIssue({
      code: "custom",
      path: ["max_in_flight_bytes"],
      message: `is ${config.max_in_flight_bytes}, below the largest request of ${largest} bytes: such a request would never be taken`,
    });
  }
});

/** The checked configuration of one `otlp` receiver. */
export type OtlpReceiverConfig = z.output<typeof otlpReceiverConfig>;
