import type { ComponentSettings, Counter } from "@inode-gateway/contract";
import type { Condition } from "../../ottl/compile-condition.js";
import type { EvaluationError } from "../../ottl/condition-error.js";
import type { ErrorMode } from "../../ottl/condition-list.js";
import { conditionErrors } from "./metrics.js";

/** Between two logs of conditions that fail, at least: they may fail for every item. */
export const CONDITION_LOG_INTERVAL_MS = 10_000;

/** Counts conditions without an answer, and logs some of them in mode `ignore`. */
export class ConditionFailures {
  readonly #settings: ComponentSettings;
  readonly #isLogged: boolean;
  readonly #counter: Counter;
  #nextLogMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(settings: ComponentSettings, mode: ErrorMode) {
    this.#settings = settings;
    this.#isLogged = mode === "ignore";
    this.#counter = settings.meter.counter(conditionErrors, { filter: settings.id });
  }

  report(condition: Condition, error: EvaluationError): void {
    this.#counter.add(1);
    this.#failures++;
    if (!this.#isLogged) return;
    const nowMs = this.#settings.clock.nowMs();
    if (nowMs < this.#nextLogMs) return;
    this.#nextLogMs = nowMs + CONDITION_LOG_INTERVAL_MS;
    this.#settings.logger.warn("a condition has no answer and is passed over", {
      condition: condition.text,
      reason: error.message,
      failures: this.#failures,
    });
    this.#failures = 0;
  }
}
