/** What the executable may use of the process; passed in, so that tests can run it in-process. */
export interface ProcessEnvironment {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Results for people and pipes. */
  readonly stdout: TextOutput;
  /** Errors and logs. */
  readonly stderr: TextOutput;
  /** Standard input, for `registry import` without a file. */
  readonly stdin: AsyncIterable<Buffer | string>;
  /** Calls `listener` for every SIGTERM and SIGINT from now on. */
  onStopSignal(listener: (signal: string) => void): void;
  /** Ends the process at once, for a second stop signal. */
  exitNow(code: number): void;
}

/** A place text goes to, with whether a person is looking. */
export interface TextOutput {
  write(text: string): void;
  readonly isTerminal: boolean;
}
