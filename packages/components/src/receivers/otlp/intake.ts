import {
  Batch,
  type BatchOrigin,
  type ComponentSettings,
  PermanentError,
  type ReceiverOutputs,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import { checkRequest, FramingError } from "@inode-gateway/otlp";
import { LogInterval } from "../../transport/log-interval.js";
import { answerFor, type FailureAnswer } from "../../transport/status-mapping.js";
import type { Admission } from "./admission.js";
import { connectionFailure } from "./connection-failure.js";
import type { InFlightBytes } from "./in-flight-bytes.js";
import type { ClosingReason, IntakeCounters } from "./metrics.js";

/** What an intake works with. */
export interface IntakeParts {
  readonly outputs: ReceiverOutputs;
  readonly inFlight: InFlightBytes;
  readonly counters: IntakeCounters;
  readonly admission: Admission;
}

/**
 * The way of every request into its pipeline, the same for both transports.
 *
 * A transport reads a request and hands its protobuf bytes over; what comes back is undefined for
 * success or the answer for the sender. Never throws.
 */
export class Intake {
  readonly #settings: ComponentSettings;
  readonly #outputs: ReceiverOutputs;
  readonly #inFlight: InFlightBytes;
  readonly #counters: IntakeCounters;
  readonly #admission: Admission;
  readonly #log: LogInterval;
  #isClosed = false;

  constructor(settings: ComponentSettings, parts: IntakeParts) {
    this.#settings = settings;
    this.#outputs = parts.outputs;
    this.#inFlight = parts.inFlight;
    this.#counters = parts.counters;
    this.#admission = parts.admission;
    this.#log = new LogInterval(settings.logger, settings.clock);
  }

  /** Asked about each request before it is read. */
  get admission(): Admission {
    return this.#admission;
  }

  /** Signals that have a pipeline. */
  get signals(): readonly Signal[] {
    return (Object.keys(this.#outputs) as Signal[]).filter((signal) => this.#outputs[signal]);
  }

  get counters(): IntakeCounters {
    return this.#counters;
  }

  get inFlight(): InFlightBytes {
    return this.#inFlight;
  }

  /** From now on nothing reaches a pipeline any more. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Checks one request and gives it to the pipeline of its signal.
   *
   * @param bytes protobuf, the batch's own from now on
   * @param isChecked true when the bytes were made by our own JSON transcoder, whose output is well
   *   formed by construction
   */
  async accept(
    signal: Signal,
    bytes: Uint8Array,
    origin: BatchOrigin,
    isChecked: boolean,
  ): Promise<FailureAnswer | undefined> {
    let items = 0;
    try {
      if (!isChecked) checkRequest(signal, bytes);
      const batch = new Batch({ signal, chunks: [bytes], origin: withRequest(origin, bytes) });
      items = batch.itemCount;
      // An empty request SHOULD succeed; the Collector neither forwards nor counts it.
      if (items === 0) return undefined;
      await this.#consume(signal, batch);
      this.#counters.accepted(signal, items);
      return undefined;
    } catch (error) {
      if (error instanceof FramingError) return this.rejectMalformed(error.message, error);
      return this.#notTaken(signal, items, error);
    }
  }

  /** The answer to bytes that are not what they claim to be. */
  rejectMalformed(message: string, cause?: unknown): FailureAnswer {
    this.#counters.rejected("malformed");
    return answerFor(new PermanentError("BATCH_MALFORMED", message, { cause }));
  }

  /** The answer to a request that is larger than this receiver takes. */
  rejectTooLarge(message: string): FailureAnswer {
    this.#counters.rejected("too_large");
    return answerFor(new PermanentError("BATCH_TOO_LARGE", message));
  }

  /** The answer to a request for which no memory is left now. */
  rejectInFlight(bytes: number): FailureAnswer {
    this.#counters.rejected("in_flight_limit");
    const { maxBytes, usedBytes } = this.#inFlight;
    const message =
      `request of ${bytes} bytes does not fit beside ${usedBytes} bytes in flight, ` +
      `\`max_in_flight_bytes\` is ${maxBytes}`;
    return answerFor(new RetryableError("MEMORY_LIMITED", message));
  }

  /** The answer to whoever comes after the receiver began to stop. */
  rejectShuttingDown(): FailureAnswer {
    this.#counters.rejected("shutting_down");
    return answerFor(
      new RetryableError("SHUTTING_DOWN", "the gateway is shutting down, send again elsewhere"),
    );
  }

  /** Logs now and then that connections fail, such as over a certificate or a missing TLS. */
  noteConnectionError(error: Error, peer: string): void {
    const fields = { peer, reason: connectionFailure(error) };
    this.#log.log("warn", "A connection failed before it carried a request", fields);
  }

  /** Counts, and logs now and then, that a connection was closed because of a limit. */
  noteClosedConnection(reason: ClosingReason, peer: string): void {
    this.#counters.connectionClosed(reason);
    this.#log.log("warn", "A connection was closed because of a limit", { peer, reason });
  }

  /** Logs a bug once, where it is caught, and gives the answer for the sender. */
  reportBug(where: string, error: unknown): FailureAnswer {
    this.#settings.logger.error("A request failed because of a bug in the gateway", {
      where,
      error,
    });
    return answerFor(error);
  }

  async #consume(signal: Signal, batch: Batch): Promise<void> {
    const output = this.#outputs[signal];
    if (this.#isClosed || output === undefined) {
      throw new RetryableError(
        "SHUTTING_DOWN",
        "the gateway is shutting down, send again elsewhere",
      );
    }
    await output.consume(batch);
  }

  #notTaken(signal: Signal, items: number, error: unknown): FailureAnswer {
    const answer = answerFor(error);
    if (!answer.isBug) {
      this.#counters.refused(signal, items);
      return answer;
    }
    this.#counters.failed(signal, items);
    return this.reportBug(signal, error);
  }
}

// By name: a spread object that gets one field more costs 0.7 us instead of 0.02 us (Node 20).
function withRequest(origin: BatchOrigin, request: Uint8Array): BatchOrigin {
  const { auth, deadlineMs, metadata, peer, receivedAtMs } = origin;
  return { peer, receivedAtMs, deadlineMs, metadata, request, auth };
}
