import type { RegistryObserver } from "./registry-options.js";

/** Functions to call when something happens; one that throws does not keep the others from it. */
export class Listeners<Arguments extends readonly unknown[]> {
  readonly #listeners = new Set<(...given: Arguments) => void>();
  readonly #name: string;
  readonly #observer: RegistryObserver;

  /** `name` says in a warning which listener threw. */
  constructor(name: string, observer: RegistryObserver) {
    this.#name = name;
    this.#observer = observer;
  }

  /** Returns a function that ends the subscription; safe twice. */
  add(listener: (...given: Arguments) => void): () => void {
    // A wrapper of its own, so that the same function can be added twice and removed once.
    const own = (...given: Arguments) => listener(...given);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  notify(...given: Arguments): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(...given);
      } catch (error) {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#observer.warning?.(`a listener of ${this.#name} threw`, { reason });
      }
    }
  }
}
