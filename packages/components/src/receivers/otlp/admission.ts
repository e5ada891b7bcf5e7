import {
  type ComponentSettings,
  type ExtensionReference,
  type Host,
  type ReceiverOutputs,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import {
  AuthenticationError,
  type RequestHeaders,
  type ServerAuthenticator,
  serverAuthenticatorOf,
} from "../../capabilities/authenticator.js";
import { type RequestGate, requestGateOf } from "../../capabilities/request-gate.js";
import {
  answerFor,
  type FailureAnswer,
  unauthenticatedAnswer,
} from "../../transport/status-mapping.js";
import type { IntakeCounters } from "./metrics.js";

/** The part of a protocol's configuration that says who and what is let in. */
export interface AdmissionConfig {
  readonly auth?: { readonly authenticator: string } | undefined;
  readonly middlewares: readonly { readonly id: string }[];
}

/** What an authenticator knows of a sender, or how the sender is refused. */
export type Authenticated =
  | { readonly auth: ReadonlyMap<string, string> }
  | { readonly failure: FailureAnswer };

/**
 * Decides about a request before any of its body is read: middlewares, the pipeline behind, and who
 * sends it.
 */
export class Admission {
  readonly #settings: ComponentSettings;
  readonly #config: AdmissionConfig;
  readonly #outputs: ReceiverOutputs;
  readonly #counters: IntakeCounters;
  #gates: readonly RequestGate[] = [];
  #authenticator: ServerAuthenticator | undefined;

  constructor(
    settings: ComponentSettings,
    config: AdmissionConfig,
    outputs: ReceiverOutputs,
    counters: IntakeCounters,
  ) {
    this.#settings = settings;
    this.#config = config;
    this.#outputs = outputs;
    this.#counters = counters;
  }

  /** Looks up the extensions. @throws Error when one does not run or is of another kind */
  start(host: Host): void {
    const { auth, middlewares } = this.#config;
    this.#gates = middlewares.map(({ id }) => requestGateOf(host, id));
    this.#authenticator = auth && serverAuthenticatorOf(host, auth.authenticator);
  }

  /** Whether `authenticate` has to be asked. */
  get asksWho(): boolean {
    return this.#authenticator !== undefined;
  }

  /** Why no request of `signal` is taken now, counted; undefined when it may come. Never throws. */
  refusal(signal: Signal): FailureAnswer | undefined {
    try {
      for (const gate of this.#gates) {
        const refusal = gate.requestRefusal();
        if (refusal !== undefined) return this.#refused("middleware", refusal);
      }
      const refusal = this.#outputs[signal]?.refusal?.();
      return refusal && this.#refused("pipeline", refusal);
    } catch (error) {
      return this.#bug("admission", error);
    }
  }

  /** Asks who sends; a failure is counted. Only to be called when `asksWho`. Never rejects. */
  async authenticate(headers: RequestHeaders): Promise<Authenticated> {
    try {
      return { auth: (await this.#authenticator?.authenticate(headers)) ?? new Map() };
    } catch (error) {
      // Such as too many passwords that wait to be checked.
      if (error instanceof RetryableError) return { failure: this.#refused("middleware", error) };
      if (!(error instanceof AuthenticationError)) {
        return { failure: this.#bug("authenticator", error) };
      }
      this.#counters.rejected("unauthenticated");
      return { failure: unauthenticatedAnswer(error.message, this.#authenticator?.challenge) };
    }
  }

  #refused(reason: "middleware" | "pipeline", error: Error): FailureAnswer {
    this.#counters.rejected(reason);
    return answerFor(error);
  }

  #bug(where: string, error: unknown): FailureAnswer {
    this.#settings.logger.error("A request failed because of a bug in the gateway", {
      where,
      error,
    });
    return answerFor(error);
  }
}

/** Where a protocol's configuration names extensions; `path` leads to that configuration. */
export function admissionReferences(
  { auth, middlewares }: AdmissionConfig,
  path: readonly string[],
): readonly ExtensionReference[] {
  const references: ExtensionReference[] = middlewares.map(({ id }, index) => ({
    extensionId: id,
    path: [...path, "middlewares", index, "id"],
  }));
  if (auth !== undefined) {
    references.push({
      extensionId: auth.authenticator,
      path: [...path, "auth", "authenticator"],
    });
  }
  return references;
}
