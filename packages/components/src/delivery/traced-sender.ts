import type { ComponentSettings } from "@inode-gateway/contract";
import type { Sender } from "./delivery-step.js";

/** A sender with a span for each try, as far as the process follows the batch; else the sender itself. */
export function tracedSender({ id, tracer }: ComponentSettings, sender: Sender): Sender {
  if (tracer === undefined) return sender;
  return {
    start: (host) => sender.start(host),
    close: (deadlineMs) => sender.close(deadlineMs),
    async send(batch, deadlineMs) {
      const end = tracer.sending(id, batch);
      try {
        const answer = await sender.send(batch, deadlineMs);
        end?.();
        return answer;
      } catch (error) {
        end?.(error);
        throw error;
      }
    },
  };
}
