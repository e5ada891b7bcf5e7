import type { TestContext } from "node:test";
import { OtlpReceiver, otlpReceiver } from "@inode-gateway/components";
import type { Clock, Consumer, Extension, Signal } from "@inode-gateway/contract";
import {
  CapturingConsumer,
  createTestSettings,
  realClock,
  TestHost,
  type TestSettings,
} from "@inode-gateway/testkit";

/** A receiver on free ports with one capturing consumer behind the signals that have a pipeline. */
export interface RunningReceiver {
  readonly receiver: OtlpReceiver;
  readonly settings: TestSettings<Clock>;
  readonly consumer: CapturingConsumer;
  /** `http://127.0.0.1:port`. */
  readonly httpUrl: string;
  /** `127.0.0.1:port`. */
  readonly grpcAddress: string;
  /** What a counter of this receiver says, summed over the labels that are not given. */
  count(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** What a test wants to be different. */
export interface ReceiverOptions {
  readonly grpc?: object;
  readonly http?: object;
  readonly maxInFlightBytes?: number;
  readonly signals?: readonly Signal[];
  readonly output?: Consumer;
  readonly clock?: Clock;
  readonly extensions?: Readonly<Record<string, Extension>>;
}

/** Starts a receiver with both protocols; it is shut down when the test ends. */
export async function startReceiver(
  t: TestContext,
  options: ReceiverOptions = {},
): Promise<RunningReceiver> {
  const config = otlpReceiver.config.parse({
    protocols: {
      grpc: { endpoint: "127.0.0.1:0", ...options.grpc },
      http: { endpoint: "127.0.0.1:0", ...options.http },
    },
    ...(options.maxInFlightBytes === undefined
      ? {}
      : { max_in_flight_bytes: options.maxInFlightBytes }),
  });
  const settings = createTestSettings({
    id: "otlp",
    kind: "receiver",
    clock: options.clock ?? realClock,
  });
  const consumer = new CapturingConsumer();
  const signals = options.signals ?? ["traces", "metrics", "logs", "profiles"];
  const outputs = Object.fromEntries(signals.map((signal) => [signal, options.output ?? consumer]));
  const receiver = new OtlpReceiver(settings, config, outputs);
  await receiver.start(new TestHost(options.extensions));
  t.after(() => receiver.shutdown(settings.clock.nowMs() + 1_000));
  const isTls = options.http !== undefined && "tls" in options.http;
  return {
    receiver,
    settings,
    consumer,
    httpUrl: `${isTls ? "https" : "http"}://${receiver.addresses.http}`,
    grpcAddress: receiver.addresses.grpc ?? "",
    count: (name, labels = {}) => settings.meter.sum(name, labels),
  };
}
