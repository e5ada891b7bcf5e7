/** One thing that is wrong with a configuration. */
export interface ConfigurationProblem {
  /** Keys from the top, such as `receivers::otlp::protocols`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** A configuration cannot be used; the message has one line for each problem, behind its path. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join("\n"), options);
    this.problems = problems;
  }
}

/** `receivers::otlp: message`, or the message alone for the whole configuration. */
export function formatProblem(problem: ConfigurationProblem): string {
  return problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`;
}
