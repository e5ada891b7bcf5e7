import { duration } from "@inode-gateway/config";

/** The longest time a timer of Node can wait, 24.8 days; a longer one would fire at once. */
export const TIMER_MS_MAX = 2_147_483_647;

/** Go duration text for something that a timer will wait for. */
export const timerDuration = () => duration({ maxMs: TIMER_MS_MAX });
