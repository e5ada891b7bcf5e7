import type { DropDecider, Signal } from "@inode-gateway/otlp";
import type { ConditionList } from "./condition-list.js";
import type { ContextName } from "./path-fields.js";
import { TelemetryCursor } from "./telemetry-cursor.js";

/** The signals whose items can be looked at one by one. */
export type ConditionSignal = Exclude<Signal, "profiles">;

/** The context of the items of each signal; a metric's points are a context below it. */
export const itemContexts: Readonly<Record<ConditionSignal, ContextName>> = {
  traces: "span",
  metrics: "metric",
  logs: "log",
};

const childContexts: Readonly<Partial<Record<ConditionSignal, ContextName>>> = {
  traces: "spanevent",
  metrics: "datapoint",
};

/** Conditions by the context they are evaluated in. */
export type PlacedConditions = ReadonlyMap<ContextName, ConditionList>;

/** Decides by conditions what of a request is dropped; made once and used for one request at a time. */
export class ConditionDecider implements DropDecider {
  readonly #cursor = new TelemetryCursor();
  readonly #resource: ConditionList | undefined;
  readonly #scope: ConditionList | undefined;
  readonly #item: ConditionList | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Absent when no condition looks at span events or data points, which are then not walked. */
  readonly dropsChild?: (start: number, end: number, fieldNumber: number) => boolean;

  constructor(signal: ConditionSignal, conditions: PlacedConditions) {
    this.#resource = conditions.get("resource");
    this.#scope = conditions.get("scope");
    this.#item = conditions.get(itemContexts[signal]);
    const childContext = childContexts[signal];
    const child = childContext === undefined ? undefined : conditions.get(childContext);
    if (child !== undefined) {
      this.dropsChild = (start, end, fieldNumber) => {
        this.#cursor.enterChild(this.#bytes, start, end, fieldNumber);
        return child.hold(this.#cursor);
      };
    }
  }

  /** Begins with a request; `release` ends with it. */
  enter(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** Lets go of the request. */
  release(): void {
    this.#bytes = new Uint8Array(0);
    this.#cursor.release();
  }

  dropsResource(start: number, end: number): boolean {
    this.#cursor.enterResource(this.#bytes, start, end);
    return this.#resource?.hold(this.#cursor) === true;
  }

  dropsScope(start: number, end: number): boolean {
    this.#cursor.enterScope(this.#bytes, start, end);
    return this.#scope?.hold(this.#cursor) === true;
  }

  dropsItem(start: number, end: number): boolean {
    this.#cursor.enterItem(this.#bytes, start, end);
    return this.#item?.hold(this.#cursor) === true;
  }
}
