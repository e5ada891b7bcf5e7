import type { Sender } from "../../delivery/delivery-step.js";

/** A destination that takes everything and keeps nothing. */
export class NopSender implements Sender {
  async start(): Promise<void> {}

  async send(): Promise<undefined> {}

  async close(): Promise<void> {}
}
