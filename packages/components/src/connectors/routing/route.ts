import type { BatchOrigin } from "@inode-gateway/contract";
import { dropItems } from "@inode-gateway/otlp";
import type { ConditionSignal } from "../../ottl/condition-decider.js";
import type { ConditionList } from "../../ottl/condition-list.js";
import {
  parseRequestCondition,
  type RequestCondition,
  requestMatches,
} from "./request-condition.js";
import { RouteDecider, type RoutedContext } from "./route-decider.js";

/** A part of a request, as the chunks it consists of. */
export interface Part {
  readonly chunks: readonly Uint8Array[];
  readonly itemCount: number;
}

/** What a route takes of a request and what it leaves; undefined is nothing. */
export interface Division {
  readonly taken: Part | undefined;
  readonly left: Part | undefined;
}

/** What one entry of the table does with a request. */
export interface Route {
  divide(part: Part, origin: BatchOrigin): Division;
}

/** A route by the metadata of the request: all or nothing. */
export class RequestRoute implements Route {
  readonly #condition: RequestCondition;

  constructor(condition: string) {
    this.#condition = parseRequestCondition(condition);
  }

  divide(part: Part, origin: BatchOrigin): Division {
    return requestMatches(this.#condition, origin)
      ? { taken: part, left: undefined }
      : { taken: undefined, left: part };
  }
}

/** A route by what a request holds: by Resource, or item by item. */
export class ContentRoute implements Route {
  readonly #signal: ConditionSignal;
  readonly #decider: RouteDecider;

  constructor(signal: ConditionSignal, context: RoutedContext, conditions: ConditionList) {
    this.#signal = signal;
    this.#decider = new RouteDecider(context, conditions);
  }

  divide(part: Part): Division {
    const [only] = part.chunks;
    const bytes =
      only !== undefined && part.chunks.length === 1 ? only : Buffer.concat(part.chunks);
    const left = this.#without(bytes, part, true);
    if (left === part) return { taken: undefined, left };
    if (left.itemCount === 0) return { taken: part, left: undefined };
    return { taken: this.#without(bytes, part, false), left };
  }

  /** What is left without what matches, or without what does not. */
  #without(bytes: Uint8Array, part: Part, dropsMatching: boolean): Part {
    this.#decider.enter(bytes, dropsMatching);
    try {
      const remaining = dropItems(this.#signal, bytes, this.#decider);
      if (remaining === undefined) return part;
      const { chunks, droppedItems } = remaining;
      return { chunks, itemCount: part.itemCount - droppedItems };
    } finally {
      this.#decider.release();
    }
  }
}
