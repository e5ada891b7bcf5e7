import type { MessageMemory } from "../call-admission.js";
import type { Status } from "../status.js";

/** What one call has taken of the memory for messages; gives back all of it when nobody needs it. */
export class MessageBudget {
  readonly #memory: MessageMemory | undefined;
  #takenBytes = 0;
  #holders = 0;
  #isClosed = false;

  constructor(memory: MessageMemory | undefined) {
    this.#memory = memory;
  }

  /** Takes `bytes` more, or says with which status the call is refused. */
  take(bytes: number): Status | undefined {
    const refusal = this.#memory?.take(bytes);
    if (refusal === undefined) this.#takenBytes += bytes;
    return refusal;
  }

  /** Gives back what is above `bytes`. */
  keepOnly(bytes: number): void {
    const surplus = this.#takenBytes - bytes;
    if (surplus <= 0) return;
    this.#takenBytes = bytes;
    this.#memory?.giveBack(surplus);
  }

  /** Somebody works on the bytes, also after the call is over. */
  hold(): void {
    this.#holders++;
  }

  unhold(): void {
    this.#holders--;
    this.#settle();
  }

  /** The call is over; its bytes are given back as soon as nobody holds them. */
  close(): void {
    this.#isClosed = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#isClosed && this.#holders === 0) this.keepOnly(0);
  }
}
