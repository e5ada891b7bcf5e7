/** What the executable may use of the process; passed in, so that tests can run it in-process. */
export interface ProcessEnvironment {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Results for people and pipes. */
  readonly stdout: ResultOutput;
  /** Errors and logs. */
  readonly stderr: MessageOutput;
  /** Standard input, for `registry import` without a file. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Calls `listener` for every SIGTERM and SIGINT from now on. */
  onStopSignal(listener: (signal: string) => void): void;
  /** Calls `listener` for every SIGHUP from now on, which ends the process otherwise. */
  onReloadSignal(listener: () => void): void;
  /** Ends the process at once, for a second stop signal. */
  exitNow(code: number): void;
}

/** Where results go: they must arrive whole, however slow the reader is. */
export interface ResultOutput {
  /**
   * Writes text and resolves when more may be written.
   *
   * @throws OutputClosedError when nobody reads any more, as behind `| head -1`
   * @throws Error when it cannot be written, such as to a full disk
   */
  write(text: string): Promise<void>;
}

/** Where messages go: writing never fails and never waits; what cannot be written is lost. */
export interface MessageOutput {
  write(text: string): void;
  /** Whether a person is looking. */
  readonly isTerminal: boolean;
}

/** The reader of the results has gone: there is nobody to write for, and nothing is wrong. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}
