import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock } from "@inode-gateway/contract";

/** How long reading all keys may take: about a second for a million of them on a warm disk. */
const CHECK_MS_MAX = 60_000;

/** Signals by which a process ends itself because of what it reads. */
const OWN_SIGNALS: ReadonlySet<string> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGTRAP",
]);

/** What the checking process is asked. */
export interface CheckRequest {
  readonly path: string;
  readonly fileBytesMax: number;
  /** Where a copy without free pages is written; none when left out. */
  readonly compactTo?: string | undefined;
}

/** What the checking process found. */
export type CheckAnswer =
  | { readonly outcome: "sound"; readonly compactFailure?: string }
  | { readonly outcome: "damaged"; readonly reason: string }
  /** The system refused: nothing is known of the file. */
  | { readonly outcome: "unreadable"; readonly reason: string };

/**
 * Whether lmdb can open the file and walk all its keys, tried in a process of its own.
 *
 * Values are not read: their checksums are looked at when they are needed.
 *
 * @throws Error when that cannot be found out
 */
export function checkDataFile(request: CheckRequest, clock: Clock): Promise<CheckAnswer> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./check-process.js", import.meta.url)), [], {
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    let answer: CheckAnswer | undefined;
    const timer = clock.setTimer(CHECK_MS_MAX, () => {
      child.kill("SIGKILL");
      reject(new Error(`${request.path} could not be checked within ${CHECK_MS_MAX} ms`));
    });
    child.once("message", (message) => {
      answer = message as CheckAnswer;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      timer.cancel();
      if (answer !== undefined) resolve(answer);
      else if (signal !== null && OWN_SIGNALS.has(signal))
        resolve({ outcome: "damaged", reason: `reading it ended with ${signal}` });
      // Somebody else's signal, such as that of a stop or of a lack of memory, says nothing of the file.
      else reject(new Error(`the check of ${request.path} ended with ${signal ?? code}`));
    });
    child.send(request);
  });
}
