import type { Clock, Timer } from "@inode-gateway/contract";

/** The machine's time, for tests of components that talk to real sockets. */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  unixMs: () => Date.now(),
  setTimer: (delayMs: number, callback: () => void): Timer => {
    const timeout = setTimeout(callback, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
