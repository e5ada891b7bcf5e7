import type { Signal } from "@inode-gateway/contract";
import {
  AttributeList,
  LogRecordView,
  MetricView,
  ResourceItemsView,
  type ResourceView,
  ScopeItemsView,
  SpanView,
} from "@inode-gateway/otlp";
import { textOfValue } from "../../attribute-actions/value-text.js";
import { AttributeConditions } from "./attribute-conditions.js";
import { matchProblem, spanKinds } from "./check-match.js";
import type { MatchConfig } from "./config.js";
import { TextSet } from "./text-set.js";

const RESOURCE_ATTRIBUTES = 1;

/** What a span without a service is called, as in the Collector. */
const NO_SERVICE = "<nil-service-name>";

/**
 * Decides whether items fulfil the conditions of `include` or `exclude`, walking along with a request:
 * what a Resource or scope decides is decided once.
 */
export class ItemMatcher {
  readonly #match: MatchConfig;
  readonly #texts: Readonly<Record<TextKey, TextSet | undefined>>;
  readonly #attributes: AttributeConditions | undefined;
  readonly #resources: AttributeConditions | undefined;
  readonly #libraries: readonly { readonly name: TextSet; readonly version?: TextSet }[];
  readonly #resourceList = new AttributeList();
  #isResourceMatching = true;
  #isScopeMatching = true;
  #isMetricMatching = true;

  /** @throws Error when the conditions do not fit the signal, or one cannot be compared */
  constructor(match: MatchConfig, signal: Signal) {
    const problem = matchProblem(match, signal);
    if (problem !== undefined) throw new Error(problem);
    this.#match = match;
    const set = (entries: readonly string[]) =>
      entries.length === 0 ? undefined : new TextSet(entries, match);
    this.#texts = {
      services: set(match.services),
      span_names: set(match.span_names),
      span_kinds: set(match.span_kinds),
      log_bodies: set(match.log_bodies),
      log_severity_texts: set(match.log_severity_texts),
      metric_names: set(match.metric_names),
    };
    const conditions = (entries: MatchConfig["attributes"]) =>
      entries.length === 0 ? undefined : new AttributeConditions(entries, match);
    this.#attributes = conditions(match.attributes);
    this.#resources = conditions(match.resources);
    this.#libraries = match.libraries.map(({ name, version }) => ({
      name: new TextSet([name], match),
      ...(version !== undefined && { version: new TextSet([version], match) }),
    }));
  }

  /** Whether anything below the Resource may match. */
  enterResource(bytes: Uint8Array, start: number, end: number): boolean {
    this.#isResourceMatching = true;
    const { services } = this.#texts;
    if (services === undefined && this.#resources === undefined) return true;
    const { resource } = new ResourceItemsView(bytes, start, end);
    this.#isResourceMatching =
      (services?.matches(serviceOf(resource)) ?? true) && this.#matchesResource(resource);
    return this.#isResourceMatching;
  }

  /** Whether anything in the scope may match. */
  enterScope(bytes: Uint8Array, start: number, end: number): boolean {
    this.#isScopeMatching = true;
    if (this.#libraries.length === 0) return this.#isResourceMatching;
    const { scope } = new ScopeItemsView(bytes, start, end);
    this.#isScopeMatching = this.#libraries.every(
      ({ name, version }) => name.matches(scope.name) && (version?.matches(scope.version) ?? true),
    );
    return this.#isResourceMatching && this.#isScopeMatching;
  }

  /** Whether the data points of the metric match. */
  enterMetric(bytes: Uint8Array, start: number, end: number): boolean {
    const { metric_names: names } = this.#texts;
    this.#isMetricMatching = names?.matches(new MetricView(bytes, start, end).name) ?? true;
    return this.#isResourceMatching && this.#isScopeMatching && this.#isMetricMatching;
  }

  /** @param list the item's attributes, loaded */
  matchesSpan(bytes: Uint8Array, start: number, end: number, list: AttributeList): boolean {
    if (!this.#isResourceMatching || !this.#isScopeMatching) return false;
    const { span_kinds: kinds, span_names: names } = this.#texts;
    if (kinds !== undefined || names !== undefined) {
      const span = new SpanView(bytes, start, end);
      if (names?.matches(span.name) === false) return false;
      if (kinds?.matches(spanKinds[span.kind] ?? "") === false) return false;
    }
    return this.#attributes?.hold(list) ?? true;
  }

  /** @param list the item's attributes, loaded */
  matchesLogRecord(bytes: Uint8Array, start: number, end: number, list: AttributeList): boolean {
    if (!this.#isResourceMatching || !this.#isScopeMatching) return false;
    const { log_bodies: bodies, log_severity_texts: severities } = this.#texts;
    const { log_severity_number: number } = this.#match;
    if (bodies !== undefined || severities !== undefined || number !== undefined) {
      const record = new LogRecordView(bytes, start, end);
      if (bodies?.matches(textOfValue(record.body)) === false) return false;
      if (severities?.matches(record.severityText) === false) return false;
      if (number !== undefined && !isSevere(record.severityNumber, number)) return false;
    }
    return this.#attributes?.hold(list) ?? true;
  }

  /** Data points match as their metric does. */
  matchesDataPoint(): boolean {
    return this.#isResourceMatching && this.#isScopeMatching && this.#isMetricMatching;
  }

  #matchesResource(resource: ResourceView): boolean {
    if (this.#resources === undefined) return true;
    const list = this.#resourceList;
    list.load(resource.bytes, resource.start, resource.end, RESOURCE_ATTRIBUTES);
    const holds = this.#resources.hold(list);
    list.unload();
    return holds;
  }
}

type TextKey =
  | "services"
  | "span_names"
  | "span_kinds"
  | "log_bodies"
  | "log_severity_texts"
  | "metric_names";

function serviceOf(resource: ResourceView): string {
  const service = resource.attribute("service.name");
  return service === undefined ? NO_SERVICE : textOfValue(service);
}

function isSevere(
  severity: number,
  { match_undefined: matchesUndefined, min }: NonNullable<MatchConfig["log_severity_number"]>,
): boolean {
  return severity === 0 ? matchesUndefined : severity >= min;
}
