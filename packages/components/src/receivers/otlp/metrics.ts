import type { Counter, Meter, MetricDefinition, Signal } from "@inode-gateway/contract";
import type { ConnectionFault } from "@inode-gateway/grpc";
import { signals } from "@inode-gateway/otlp";
import { otlpNames } from "../../transport/otlp-names.js";
import { tlsMetrics } from "../../transport/tls-metrics.js";

/** How a request came in; the Collector's label values. */
export type Transport = "grpc" | "http";

/** Why a request was turned away before a pipeline saw it. */
export type RejectionReason =
  | "malformed"
  | "too_large"
  | "in_flight_limit"
  | "middleware"
  | "pipeline"
  | "unauthenticated"
  | "shutting_down"
  | "timeout"
  | "unsupported";

const itemCounter = (outcome: string, signal: Signal, meaning: string): MetricDefinition => ({
  name: `otelcol_receiver_${outcome}_${otlpNames[signal].items}`,
  help: `${otlpNames[signal].items} ${meaning}`,
  kind: "counter",
  labels: ["receiver", "transport"],
});

const itemCounters = (outcome: string, meaning: string) =>
  Object.fromEntries(
    signals.map((signal) => [signal, itemCounter(outcome, signal, meaning)]),
  ) as Record<Signal, MetricDefinition>;

const accepted = itemCounters("accepted", "taken by the pipelines and acknowledged to the sender");
const refused = itemCounters("refused", "not taken by a pipeline; the sender was told");
const failed = itemCounters("failed", "lost to a bug of the gateway; the sender was told");

const requests: MetricDefinition = {
  name: "otelcol_receiver_requests",
  help: "Requests that reached a pipeline, by outcome: success, refused, failure",
  kind: "counter",
  labels: ["receiver", "transport", "outcome"],
};

const rejectedRequests: MetricDefinition = {
  name: "inode_gateway_receiver_rejected_requests",
  help: "Requests turned away before a pipeline saw them, by reason",
  kind: "counter",
  labels: ["receiver", "transport", "reason"],
};

/** Bytes of requests read and not answered yet; read against `max_in_flight_bytes`. */
export const inFlightBytesMetric: MetricDefinition = {
  name: "inode_gateway_receiver_in_flight_bytes",
  help: "Bytes of requests that were read and not answered yet",
  kind: "gauge",
  labels: ["receiver"],
};

/** Connections that are open now; read against `max_connections`. */
export const connectionsMetric: MetricDefinition = {
  name: "inode_gateway_receiver_connections",
  help: "Connections that are open, with and without requests",
  kind: "gauge",
  labels: ["receiver", "transport"],
};

const closedConnections: MetricDefinition = {
  name: "inode_gateway_receiver_closed_connections",
  help: "Connections closed by the receiver because of a limit or a flood, by reason",
  kind: "counter",
  labels: ["receiver", "transport", "reason"],
};

/** Why a receiver closed a connection that its sender would have kept. */
export type ClosingReason = ConnectionFault | "max_connections" | "header_timeout";

/** Everything the `otlp` receiver counts. */
export const otlpReceiverMetrics: readonly MetricDefinition[] = [
  ...Object.values(accepted),
  ...Object.values(refused),
  ...Object.values(failed),
  requests,
  rejectedRequests,
  inFlightBytesMetric,
  connectionsMetric,
  closedConnections,
  ...tlsMetrics,
];

interface SignalCounters {
  readonly accepted: Counter;
  readonly refused: Counter;
  readonly failed: Counter;
}

/** The counters of one receiver on one transport, bound to their labels. */
export class IntakeCounters {
  readonly #meter: Meter;
  readonly #labels: { readonly receiver: string; readonly transport: Transport };
  readonly #bySignal: Readonly<Record<Signal, SignalCounters>>;
  readonly #success: Counter;
  readonly #refusal: Counter;
  readonly #failure: Counter;

  constructor(meter: Meter, receiver: string, transport: Transport) {
    const labels = { receiver, transport };
    const countersOf = (signal: Signal): SignalCounters => ({
      accepted: meter.counter(accepted[signal], labels),
      refused: meter.counter(refused[signal], labels),
      failed: meter.counter(failed[signal], labels),
    });
    this.#meter = meter;
    this.#labels = labels;
    this.#bySignal = {
      traces: countersOf("traces"),
      metrics: countersOf("metrics"),
      logs: countersOf("logs"),
      profiles: countersOf("profiles"),
    };
    this.#success = meter.counter(requests, { ...labels, outcome: "success" });
    this.#refusal = meter.counter(requests, { ...labels, outcome: "refused" });
    this.#failure = meter.counter(requests, { ...labels, outcome: "failure" });
  }

  /** A pipeline took a request of `items`. */
  accepted(signal: Signal, items: number): void {
    this.#bySignal[signal].accepted.add(items);
    this.#success.add(1);
  }

  /** A pipeline did not take a request of `items`, by its own decision. */
  refused(signal: Signal, items: number): void {
    this.#bySignal[signal].refused.add(items);
    this.#refusal.add(1);
  }

  /** A bug of ours ended a request of `items`. */
  failed(signal: Signal, items: number): void {
    this.#bySignal[signal].failed.add(items);
    this.#failure.add(1);
  }

  /** A request never got as far as a pipeline. */
  rejected(reason: RejectionReason): void {
    this.#meter.counter(rejectedRequests, { ...this.#labels, reason }).add(1);
  }

  /** A connection was closed by us. */
  connectionClosed(reason: ClosingReason): void {
    this.#meter.counter(closedConnections, { ...this.#labels, reason }).add(1);
  }
}
