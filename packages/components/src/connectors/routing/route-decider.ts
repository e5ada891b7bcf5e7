import type { DropDecider } from "@inode-gateway/otlp";
import type { ConditionList } from "../../ottl/condition-list.js";
import { TelemetryCursor } from "../../ottl/telemetry-cursor.js";

/** The contexts that telemetry is routed by. */
export type RoutedContext = "resource" | "span" | "metric" | "datapoint" | "log";

const nothing = new Uint8Array(0);

/** Drops what a route takes, or everything else. */
export class RouteDecider implements DropDecider {
  readonly #cursor = new TelemetryCursor();
  readonly #context: RoutedContext;
  readonly #conditions: ConditionList;
  readonly dropsChild?: (start: number, end: number, fieldNumber: number) => boolean;
  #bytes: Uint8Array = nothing;
  #dropsMatching = true;

  constructor(context: RoutedContext, conditions: ConditionList) {
    this.#context = context;
    this.#conditions = conditions;
    if (context !== "datapoint") return;
    this.dropsChild = (start, end, fieldNumber) => {
      this.#cursor.enterChild(this.#bytes, start, end, fieldNumber);
      return this.#drops();
    };
  }

  /** Begins with a request; `release` ends with it. */
  enter(bytes: Uint8Array, dropsMatching: boolean): void {
    this.#bytes = bytes;
    this.#dropsMatching = dropsMatching;
  }

  /** Lets go of the request. */
  release(): void {
    this.#bytes = nothing;
    this.#cursor.release();
  }

  dropsResource(start: number, end: number): boolean {
    this.#cursor.enterResource(this.#bytes, start, end);
    return this.#context === "resource" && this.#drops();
  }

  dropsScope(start: number, end: number): boolean {
    this.#cursor.enterScope(this.#bytes, start, end);
    return false;
  }

  dropsItem(start: number, end: number): boolean {
    this.#cursor.enterItem(this.#bytes, start, end);
    return this.#context !== "resource" && this.#context !== "datapoint" && this.#drops();
  }

  #drops(): boolean {
    return this.#conditions.hold(this.#cursor) === this.#dropsMatching;
  }
}
