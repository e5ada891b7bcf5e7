import { findFields, joinContents } from "../wire/find-fields.js";
import { LogRecordView } from "./log-record-view.js";
import { MessageView } from "./message-view.js";
import { MetricView } from "./metric-view.js";
import { ResourceView } from "./resource-view.js";
import { ScopeView } from "./scope-view.js";
import { SpanView } from "./span-view.js";

const RESOURCE_ITEMS = 1;
const RESOURCE = 1;
const SCOPE_ITEMS = 2;
const SCOPE = 1;
const ITEMS = 2;
const SCHEMA_URL = 3;

/**
 * An export request, read where it lies: Resources, their scopes, the items of those.
 *
 *     for (const group of new RequestView(batch.bytes).resources())
 *       for (const scope of group.scopes()) for (const span of scope.spans()) use(span.name);
 *
 * The same for all signals, which number these fields alike; which of `spans`, `metrics` and
 * `logRecords` to ask for is what the caller knows from the batch. Nothing is decoded in advance.
 * The bytes must have passed `checkRequest` and must not be modified.
 */
export class RequestView extends MessageView {
  /** One for each ResourceSpans, ResourceMetrics, ..., in wire order. */
  resources(): Generator<ResourceItemsView> {
    return this.nested(
      RESOURCE_ITEMS,
      (bytes, start, end) => new ResourceItemsView(bytes, start, end),
    );
  }
}

/** A ResourceSpans, ResourceMetrics, ResourceLogs or ResourceProfiles message. */
export class ResourceItemsView extends MessageView {
  /** The Resource, without attributes when there is none; several are shown as one, joined. */
  get resource(): ResourceView {
    const fields = findFields(this.bytes, this.start, this.end, RESOURCE);
    const [first, ...others] = fields;
    if (first === undefined) return new ResourceView(this.bytes, this.start, this.start);
    if (others.length > 0) return new ResourceView(joinContents(this.bytes, fields));
    return new ResourceView(this.bytes, first.start, first.end);
  }

  get schemaUrl(): string {
    return this.text(SCHEMA_URL);
  }

  /** One for each ScopeSpans, ScopeMetrics, ..., in wire order. */
  scopes(): Generator<ScopeItemsView> {
    return this.nested(SCOPE_ITEMS, (bytes, start, end) => new ScopeItemsView(bytes, start, end));
  }
}

/** A ScopeSpans, ScopeMetrics, ScopeLogs or ScopeProfiles message. */
export class ScopeItemsView extends MessageView {
  /** The scope; without a name when there is none. Of several the last one. */
  get scope(): ScopeView {
    const start = Math.max(0, this.startOf(SCOPE));
    return new ScopeView(this.bytes, start, Math.max(0, this.endOf(SCOPE)));
  }

  get schemaUrl(): string {
    return this.text(SCHEMA_URL);
  }

  /** The items of a request of traces. */
  spans(): Generator<SpanView> {
    return this.nested(ITEMS, (bytes, start, end) => new SpanView(bytes, start, end));
  }

  /** The metrics of a request of metrics; the items are their data points. */
  metrics(): Generator<MetricView> {
    return this.nested(ITEMS, (bytes, start, end) => new MetricView(bytes, start, end));
  }

  /** The items of a request of logs. */
  logRecords(): Generator<LogRecordView> {
    return this.nested(ITEMS, (bytes, start, end) => new LogRecordView(bytes, start, end));
  }
}
