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
} from "@inode-gateway/contract";
import { componentBugs, droppedItems } from "../accounting/metrics.js";
import { componentLabels } from "../accounting/observe-accounting.js";
import { Tally } from "../accounting/tally.js";
import { ComponentBugs } from "../flow/component-bugs.js";
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

/** Makes component instances with their settings, and keeps what has to be ended with the graph. */
export class NodeBuilder {
  readonly nodes: ComponentNode[] = [];
  readonly endObserving: (() => void)[] = [];
  readonly #services: GraphServices;

  constructor(services: GraphServices) {
    this.#services = services;
  }

  build<Made extends Component>(
    identity: NodeIdentity,
    create: (settings: ComponentSettings) => Made,
  ): ComponentNode<Made> {
    const { kind, id, signal, pipeline } = identity;
    const { clock, meter } = this.#services;
    const logger = this.#loggerFor(identity);
    const counter = meter.counter(componentBugs, { component_kind: kind, component_id: id });
    const bugs = new ComponentBugs(describeComponent(identity), logger, counter);
    const tally: Tally = new Tally((reason) => {
      const labels = { ...componentLabels({ kind, id, signal, pipeline, tally }), reason };
      this.endObserving.push(meter.observe(droppedItems, labels, () => tally.droppedFor(reason)));
    });
    const status = new ComponentStatusEntry({ kind, id, signal, pipeline }, clock, (changed) =>
      this.#services.onStatus?.(changed),
    );
    const settings = this.#settingsFor(identity, { logger, bugs, tally, status });
    const node = { kind, id, signal, pipeline, settings, tally, bugs, status };
    const made = { ...node, component: create(settings) };
    this.nodes.push(made);
    return made;
  }

  #settingsFor(
    { kind, id, signal, pipeline }: NodeIdentity,
    { logger, bugs, tally, status }: Parts,
  ): ComponentSettings {
    const { build, clock, meter, random } = this.#services;
    return {
      ...{ id, kind, signal, pipeline, logger, meter, clock, random, build },
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
