import {
  type Batch,
  type ComponentSettings,
  type Connector,
  type ConnectorOutputs,
  PermanentError,
  type RetryableError,
} from "@inode-gateway/contract";
import { compileCondition, compileRouteStatement } from "../../ottl/compile-condition.js";
import type { ConditionSignal } from "../../ottl/condition-decider.js";
import { EvaluationError } from "../../ottl/condition-error.js";
import { ConditionList } from "../../ottl/condition-list.js";
import type { RouteConfig, RoutingConfig } from "./config.js";
import { deliveryError, type PipelineFailure } from "./delivery-error.js";
import { RouteFailures } from "./events.js";
import { ContentRoute, type Part, RequestRoute, type Route } from "./route.js";

interface TableEntry {
  readonly route: Route;
  readonly pipelines: readonly string[];
  readonly isCopied: boolean;
}

/** What one pipeline gets of a request. */
interface PipelinePart {
  readonly pipeline: string;
  readonly part: Batch;
}

/** By pipeline, the parts of one request that go there. */
type Deliveries = Map<string, Part[]>;

const contextsOf: Readonly<Record<ConditionSignal, readonly RouteConfig["context"][]>> = {
  traces: ["resource", "request", "span"],
  metrics: ["resource", "request", "metric", "datapoint"],
  logs: ["resource", "request", "log"],
};

/**
 * Gives every part of a batch to the pipelines of the first route that it matches.
 *
 * All pipelines with a part are asked whether they would refuse it before any gets one. When one of them
 * rejects nevertheless, the sender is told; the engine knows which pipelines have their part, since each
 * gets one batch of a request at most.
 */
export class RoutingConnector implements Connector {
  readonly #settings: ComponentSettings;
  readonly #config: RoutingConfig;
  readonly #outputs: ConnectorOutputs;
  readonly #table: readonly TableEntry[];

  /**
   * @throws Error when a pipeline of the table is not behind this connector, or a context not of its
   *   signal
   */
  constructor(settings: ComponentSettings, config: RoutingConfig, outputs: ConnectorOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.#outputs = outputs;
    this.#checkContexts();
    for (const [index, { pipelines }] of config.table.entries()) {
      this.#checkPipelines(`table[${index}].pipelines`, pipelines);
    }
    this.#checkPipelines("default_pipelines", config.default_pipelines);
    this.#table = this.#tableOf();
  }

  async start(): Promise<void> {
    this.#settings.reportState("ok");
  }

  async shutdown(): Promise<void> {
    // Nothing is kept here.
  }

  /**
   * With a batch, what the first pipeline says that refuses its part; without one, undefined unless all
   * of them refuse.
   */
  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    if (batch !== undefined) {
      try {
        return this.#refusalOf(this.#partsOf(batch).parts);
      } catch (error) {
        // A condition has no answer: `consume` says so.
        if (error instanceof PermanentError) return undefined;
        throw error;
      }
    }
    let first: PermanentError | RetryableError | undefined;
    for (const consumer of this.#outputs.values()) {
      const refusal = consumer.refusal?.();
      if (refusal === undefined) return undefined;
      first ??= refusal;
    }
    return first;
  }

  async consume(batch: Batch): Promise<void> {
    const { parts, unrouted } = this.#partsOf(batch);
    const refusal = this.#refusalOf(parts);
    if (refusal !== undefined) throw refusal;
    const answers = await Promise.allSettled(
      parts.map(async ({ part, pipeline }) => this.#outputs.get(pipeline)?.consume(part)),
    );
    const failures: PipelineFailure[] = [];
    for (const [index, answer] of answers.entries()) {
      if (answer.status === "fulfilled") continue;
      failures.push({ pipeline: parts[index]?.pipeline ?? "", error: answer.reason });
    }
    if (failures.length > 0) throw deliveryError(failures);
    if (unrouted > 0) this.#settings.ledger.dropped(unrouted, "no_route");
  }

  #partsOf(batch: Batch): { parts: readonly PipelinePart[]; unrouted: number } {
    const { deliveries, unrouted } = this.#divide(batch);
    const parts = [...deliveries].map(([pipeline, found]) => ({
      pipeline,
      part: joined(batch, found),
    }));
    return { parts, unrouted };
  }

  #refusalOf(parts: readonly PipelinePart[]): PermanentError | RetryableError | undefined {
    for (const { part, pipeline } of parts) {
      const refusal = this.#outputs.get(pipeline)?.refusal?.(part);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** What goes to which pipeline, and how many items go nowhere. */
  #divide(batch: Batch): { deliveries: Deliveries; unrouted: number } {
    const deliveries: Deliveries = new Map();
    let left: Part | undefined = { chunks: batch.chunks, itemCount: batch.itemCount };
    try {
      for (const { isCopied, pipelines, route } of this.#table) {
        const division = route.divide(left, batch.origin);
        if (division.taken !== undefined) add(deliveries, pipelines, division.taken);
        if (!isCopied) left = division.left;
        if (left === undefined) return { deliveries, unrouted: 0 };
      }
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      throw new PermanentError("BATCH_MALFORMED", error.message, { cause: error });
    }
    const { default_pipelines: defaults } = this.#config;
    add(deliveries, defaults, left);
    return { deliveries, unrouted: defaults.length === 0 ? left.itemCount : 0 };
  }

  #tableOf(): TableEntry[] {
    const { signal } = this.#settings;
    if (signal === undefined || signal === "profiles") return [];
    const failures = new RouteFailures(this.#settings, this.#config.error_mode);
    const entries: TableEntry[] = [];
    const known = new Set<string>();
    for (const [index, entry] of this.#config.table.entries()) {
      const key = `${entry.context} ${entry.statement ?? `route() where ${entry.condition}`}`;
      if (known.has(key)) {
        this.#settings.logger.warn(
          "a route repeats the condition of an earlier one and is ignored",
          {
            route: `table[${index}]`,
          },
        );
        continue;
      }
      known.add(key);
      const isCopied = entry.action === "copy";
      const route = this.#routeOf(signal, entry, failures);
      entries.push({ route, pipelines: entry.pipelines, isCopied });
    }
    return entries;
  }

  #routeOf(signal: ConditionSignal, entry: RouteConfig, failures: RouteFailures): Route {
    const { condition, context, statement } = entry;
    if (context === "request") return new RequestRoute(condition ?? "");
    const compiled =
      condition === undefined
        ? compileRouteStatement(statement ?? "", context)
        : compileCondition(condition, context);
    const list = new ConditionList([compiled], this.#config.error_mode, (failed, error) =>
      failures.report(failed, error),
    );
    return new ContentRoute(signal, context, list);
  }

  #checkContexts(): void {
    const { signal } = this.#settings;
    if (signal === undefined || signal === "profiles") return;
    const known = contextsOf[signal];
    for (const [index, { context }] of this.#config.table.entries()) {
      if (known.includes(context)) continue;
      throw new Error(
        `\`table[${index}].context\` is \`${context}\`, which ${signal} do not have; they have ` +
          `\`${known.join("`, `")}\``,
      );
    }
  }

  #checkPipelines(key: string, pipelines: readonly string[]): void {
    const missing = pipelines.find((pipeline) => !this.#outputs.has(pipeline));
    if (missing === undefined) return;
    const known = [...this.#outputs.keys()].map((pipeline) => `\`${pipeline}\``).join(", ");
    throw new Error(
      `\`${key}\` names the pipeline \`${missing}\`, which does not have ` +
        `\`${this.#settings.id}\` among its receivers; behind it are ${known}`,
    );
  }
}

function add(deliveries: Deliveries, pipelines: readonly string[], part: Part): void {
  for (const pipeline of new Set(pipelines)) {
    const parts = deliveries.get(pipeline);
    if (parts === undefined) deliveries.set(pipeline, [part]);
    else parts.push(part);
  }
}

// Requests are lists of Resources: two of them, one after the other, are one request.
function joined(batch: Batch, parts: readonly Part[]): Batch {
  if (parts.length === 1 && parts[0]?.chunks === batch.chunks) return batch;
  const itemCount = parts.reduce((sum, part) => sum + part.itemCount, 0);
  return batch.withChunks(
    parts.flatMap(({ chunks }) => chunks),
    itemCount,
  );
}
