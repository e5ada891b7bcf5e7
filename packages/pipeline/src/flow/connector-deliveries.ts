import {
  type Batch,
  type BatchOrigin,
  type Connector,
  type ConnectorOutputs,
  type Consumer,
  type Host,
  type PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import type { PartialDeliveries } from "./partial-deliveries.js";

/** What is known of a request that a connector is dividing. */
interface Division {
  /** Parts that were delivered by an earlier try: see {@link nameOf}. */
  readonly having: ReadonlySet<string>;
  /** Parts that are delivered by now. */
  readonly delivered: Set<string>;
  /** Whether another batch of the same request came meanwhile, so that parts cannot be told apart. */
  isShared: boolean;
}

/**
 * Remembers which pipelines behind a connector have their part of a request whose sender was refused, so
 * that its retry brings them nothing again; the connector does not know of it.
 *
 * A connector gives a pipeline one batch of a request at most. The part is told from those that came to the
 * connector on other ways by `Batch.way`, and from one that is divided otherwise, since something is
 * known by now that was not, by its number of items: such a part is delivered again.
 */
export class ConnectorDeliveries {
  readonly #partial: PartialDeliveries;
  /** By the origin of the request, which its parts share. */
  readonly #underWay = new Map<BatchOrigin, Division>();

  /** @param partial what is remembered; may be that of an earlier connector in this place */
  constructor(partial: PartialDeliveries) {
    this.#partial = partial;
  }

  /** What the connector is to be made with. */
  outputs(pipelines: ConnectorOutputs): ConnectorOutputs {
    return new Map([...pipelines].map(([id, pipeline]) => [id, this.#output(id, pipeline)]));
  }

  /** The connector with this memory. */
  remembering(connector: Connector): Connector {
    return {
      start: (host: Host) => connector.start(host),
      shutdown: (deadlineMs: number) => connector.shutdown(deadlineMs),
      consume: (batch: Batch) => this.#divide(connector, batch),
      refusal: (batch?: Batch) => connector.refusal?.(batch),
    };
  }

  async #divide(connector: Connector, batch: Batch): Promise<void> {
    const { origin } = batch;
    const other = this.#underWay.get(origin);
    if (other !== undefined) {
      other.isShared = true;
      return connector.consume(batch);
    }
    const having = (this.#partial.size > 0 && this.#partial.take(batch)) || new Set<string>();
    const division = { having, delivered: new Set(having), isShared: false };
    this.#underWay.set(origin, division);
    try {
      await connector.consume(batch);
    } catch (error) {
      const { delivered, isShared } = division;
      // Nobody sends again what was refused for good.
      if (error instanceof RetryableError && !isShared && delivered.size > 0) {
        this.#partial.remember(batch, delivered);
      }
      throw error;
    } finally {
      this.#underWay.delete(origin);
    }
  }

  #output(id: string, pipeline: Consumer): Consumer {
    const hasIt = (part: Batch) =>
      this.#underWay.get(part.origin)?.having.has(nameOf(id, part)) === true;
    return {
      refusal: (part?: Batch): PermanentError | RetryableError | undefined => {
        if (part === undefined) return pipeline.refusal?.();
        return hasIt(part) ? undefined : pipeline.refusal?.(part.through(id));
      },
      consume: async (part: Batch) => {
        if (hasIt(part)) return;
        await pipeline.consume(part.through(id));
        this.#underWay.get(part.origin)?.delivered.add(nameOf(id, part));
      },
    };
  }
}

function nameOf(pipeline: string, { itemCount }: Batch): string {
  return `${itemCount} items for ${pipeline}`;
}
