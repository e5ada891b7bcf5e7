import type { Condition } from "./compile-condition.js";
import { EvaluationError } from "./condition-error.js";
import type { TelemetryCursor } from "./telemetry-cursor.js";

/** What happens when a condition has no answer: see {@link ConditionList}. */
export type ErrorMode = "ignore" | "silent" | "propagate";

/** Conditions joined by OR. */
export class ConditionList {
  readonly #conditions: readonly Condition[];
  readonly #errorMode: ErrorMode;
  readonly #failed: (condition: Condition, error: EvaluationError) => void;

  /**
   * @param failed told of each condition without an answer; unless the mode is `propagate` the next
   *   one is asked then
   */
  constructor(
    conditions: readonly Condition[],
    errorMode: ErrorMode,
    failed: (condition: Condition, error: EvaluationError) => void,
  ) {
    this.#conditions = conditions;
    this.#errorMode = errorMode;
    this.#failed = failed;
  }

  get isEmpty(): boolean {
    return this.#conditions.length === 0;
  }

  /**
   * Whether any of the conditions holds.
   *
   * @throws EvaluationError in mode `propagate`, when a condition has no answer
   */
  hold(cursor: TelemetryCursor): boolean {
    for (const condition of this.#conditions) {
      try {
        if (condition.holds(cursor)) return true;
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        this.#failed(condition, error);
        if (this.#errorMode === "propagate") {
          throw new EvaluationError(`condition \`${condition.text}\` failed: ${error.message}`);
        }
      }
    }
    return false;
  }
}
