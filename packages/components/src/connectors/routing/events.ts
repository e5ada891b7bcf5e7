import type { ComponentSettings, Counter } from "@inode-gateway/contract";
import type { Condition } from "../../ottl/compile-condition.js";
import type { EvaluationError } from "../../ottl/condition-error.js";
import type { ErrorMode } from "../../ottl/condition-list.js";
import { conditionErrors } from "./metrics.js";

/** Between two logs of conditions that fail, at least: they may fail for every item. */
export const CONDITION_LOG_INTERVAL_MS = 10_000;

/** Counts conditions without an answer, and logs some of them in mode `ignore`. */
export class RouteFailures {
  readonly #settings: ComponentSettings;
  readonly #isLogged: boolean;
  readonly #counter: Counter;
  #nextLogMs = Number.NEGATIVE_INFINITY;

  constructor(settings: ComponentSettings, mode: ErrorMode) {
    this.#settings = settings;
    this.#isLogged = mode === "ignore";
    this.#counter = settings.meter.counter(conditionErrors, { connector: settings.id });
  }

  report(condition: Condition, error: EvaluationError): void {
    this.#counter.add(1);
    const nowMs = this.#settings.clock.nowMs();
    if (!this.#isLogged || nowMs < this.#nextLogMs) return;
    this.#nextLogMs = nowMs + CONDITION_LOG_INTERVAL_MS;
    this.#settings.logger.warn("a route's condition has no answer and is passed over", {
      condition: condition.text,
      reason: error.message,
    });
  }
}
