import type {
  BuildInfo,
  Clock,
  Component,
  ComponentKind,
  ComponentSettings,
  ComponentStatus,
  Logger,
  Meter,
  Signal,
  Tracer,
} from "@inode-gateway/contract";
import { componentBugs } from "../accounting/metrics.js";
import type { AccountingMetrics } from "../accounting/observe-accounting.js";
import { Tally } from "../accounting/tally.js";
import type { CheckedComponent } from "../check/checked-configuration.js";
import { ComponentBugs } from "../flow/component-bugs.js";
import { StartError } from "../life/start-error.js";
import { ComponentStatusEntry } from "../life/status-store.js";
import { type ComponentNode, describeComponent } from "./component-node.js";

/** What the process gives to every component. */
export interface GraphServices {
  /** The root logger; every component gets a child that carries its ID. */
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly build: BuildInfo;
  /** Follows requests through receivers and exporters; absent follows none, and costs nothing. */
  readonly tracer?: Tracer | undefined;
  /** Told of every state that a component enters. */
  readonly onStatus?: (status: ComponentStatus) => void;
}

/** Which instance of which component is to be made. */
export interface NodeIdentity {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal?: Signal | undefined;
  readonly pipeline?: string | undefined;
}

/** Makes component instances with their settings. */
export class NodeBuilder {
  readonly #services: GraphServices;
  readonly #metrics: AccountingMetrics;

  constructor(services: GraphServices, metrics: AccountingMetrics) {
    this.#services = services;
    this.#metrics = metrics;
  }

  /** @throws StartError naming the component when `create` throws */
  build<Made extends Component>(
    { id, kind, pipeline, signal }: NodeIdentity,
    checked: CheckedComponent,
    create: (settings: ComponentSettings) => Made,
  ): ComponentNode<Made> {
    const { clock, meter } = this.#services;
    const identity = { kind, id, signal, pipeline };
    const logger = this.#loggerFor(identity);
    const counter = meter.counter(componentBugs, { component_kind: kind, component_id: id });
    const bugs = new ComponentBugs(describeComponent(identity), logger, counter);
    const tally = new Tally((reason) => this.#metrics.showReason(identity, reason));
    const status = new ComponentStatusEntry(identity, clock, (changed) =>
      this.#services.onStatus?.(changed),
    );
    const settings = this.#settingsFor(identity, { logger, bugs, tally, status });
    let component: Made;
    try {
      component = create(settings);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const name = describeComponent(identity);
      throw new StartError(`cannot make ${name}: ${reason}`, name, { cause: error });
    }
    return { ...identity, checked, settings, tally, bugs, status, component };
  }

  #settingsFor(
    { kind, id, signal, pipeline }: NodeIdentity,
    { logger, bugs, tally, status }: Parts,
  ): ComponentSettings {
    const { build, clock, meter, random, tracer } = this.#services;
    return {
      ...{ id, kind, signal, pipeline, logger, meter, clock, random, build, tracer },
      ledger: tally,
      reportState: (state, reason) => status.set(state, reason),
      runInBackground: (name, promise) => {
        promise.catch((error: unknown) => bugs.report(error, name));
      },
    };
  }

  // Field names are the Collector's, so that one search finds both in a log store.
  #loggerFor({ kind, id, signal, pipeline }: NodeIdentity): Logger {
    return this.#services.logger.child({
      "otelcol.component.id": id,
      "otelcol.component.kind": kind,
      ...(signal !== undefined && { "otelcol.signal": signal }),
      ...(pipeline !== undefined && { "otelcol.pipeline.id": pipeline }),
    });
  }
}

interface Parts {
  readonly logger: Logger;
  readonly bugs: ComponentBugs;
  readonly tally: Tally;
  readonly status: ComponentStatusEntry;
}
