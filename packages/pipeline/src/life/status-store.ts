import type {
  Clock,
  ComponentKind,
  ComponentState,
  ComponentStatus,
  Signal,
} from "@inode-gateway/contract";

/** Whose status it is. */
export interface StatusOwner {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal | undefined;
  readonly pipeline: string | undefined;
}

/** Told of every change of a state, in order. */
export type StatusListener = (status: ComponentStatus) => void;

/** The state of one component instance. */
export class ComponentStatusEntry {
  readonly #owner: StatusOwner;
  readonly #clock: Clock;
  readonly #onChange: StatusListener;
  #status: ComponentStatus | undefined;
  #isMuted = false;

  constructor(owner: StatusOwner, clock: Clock, onChange: StatusListener) {
    this.#owner = owner;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Undefined until the component begins to start. */
  get status(): ComponentStatus | undefined {
    return this.#status;
  }

  /** From now on nobody is told: the component is on trial, or it is being replaced. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Its states are told again, and the present one at once. */
  unmute(): void {
    this.#isMuted = false;
    if (this.#status !== undefined) this.#onChange(this.#status);
  }

  /** A state that is reported again keeps the time it began; only its reason is brought up to date. */
  set(state: ComponentState, reason?: string): void {
    const before = this.#status;
    if (before?.state === state && before.reason === reason) return;
    const sinceUnixMs = before?.state === state ? before.sinceUnixMs : this.#clock.unixMs();
    const { id, kind, pipeline, signal } = this.#owner;
    this.#status = { kind, id, pipeline, signal, state, reason, sinceUnixMs };
    if (!this.#isMuted) this.#onChange(this.#status);
  }
}
