import type { Clock } from "@inode-gateway/contract";

/** Longest delay that the runtime's own timers take; a longer one would fire at once. */
const timerMaxMs = 2_147_483_647;

/** The machine's clock; timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  unixMs: () => Date.now(),
  setTimer(delayMs, callback) {
    let restMs = delayMs;
    let timer: NodeJS.Timeout;
    const arm = () => {
      const partMs = Math.min(restMs, timerMaxMs);
      restMs -= partMs;
      timer = setTimeout(restMs > 0 ? arm : callback, partMs);
      timer.unref();
    };
    arm();
    return { cancel: () => clearTimeout(timer) };
  },
};
