/** A condition that is not part of the language, or not of the part that is supported. */
export class ConditionSyntaxError extends Error {
  override readonly name = "ConditionSyntaxError";
  /** Where it is, counted in characters from 1. */
  readonly column: number;

  constructor(column: number, message: string) {
    super(`column ${column}: ${message}`);
    this.column = column;
  }
}

/** A condition that has no answer for one item, such as a division by zero; `error_mode` decides. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}
