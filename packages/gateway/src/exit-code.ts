/** Exit codes of the executable; documented in docs/errors.md. */
export const ExitCode = {
  /** It did what was asked, or was stopped by a signal and drained. */
  ok: 0,
  /** It failed while starting or running: a port in use, an unreachable registry for `registry`. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was started. */
  usage: 2,
} as const;

/** One of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
