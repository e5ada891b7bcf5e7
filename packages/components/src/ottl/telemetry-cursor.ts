import { FieldCursor, LENGTH_DELIMITED, MovableView } from "@inode-gateway/otlp";

const RESOURCE = 1;
const SCOPE = 1;
const nothing = new Uint8Array(0);

/**
 * The place in a request that conditions are evaluated at: a Resource, a scope in it, an item in that
 * and maybe a span event or data point in the item. Moved by whoever walks the request.
 */
export class TelemetryCursor {
  /** The ResourceSpans, ResourceMetrics or ResourceLogs. */
  readonly resourceItems = new MovableView();
  /** The ScopeSpans, ScopeMetrics or ScopeLogs. */
  readonly scopeItems = new MovableView();
  /** The Span, Metric or LogRecord. */
  readonly item = new MovableView();
  /** The span event or data point. */
  readonly child = new MovableView();
  readonly #resource = new MovableView();
  readonly #scope = new MovableView();
  #resourceSerial = 0;
  #scopeSerial = 0;
  #childField = 0;
  #childIndex = -1;

  /** The Resource; several, which nobody writes, are joined as protobuf does. */
  get resource(): MovableView {
    const group = this.resourceItems;
    if (this.#resourceSerial !== group.serial) {
      this.#resourceSerial = group.serial;
      moveToJoined(this.#resource, group, RESOURCE);
    }
    return this.#resource;
  }

  /** The instrumentation scope. */
  get scope(): MovableView {
    const group = this.scopeItems;
    if (this.#scopeSerial !== group.serial) {
      this.#scopeSerial = group.serial;
      moveToJoined(this.#scope, group, SCOPE);
    }
    return this.#scope;
  }

  /** Number of the field of the Metric that the data point stands in, which tells its type. */
  get childField(): number {
    return this.#childField;
  }

  /** Position of the span event in its span, from 0. */
  get childIndex(): number {
    return this.#childIndex;
  }

  enterResource(bytes: Uint8Array, start: number, end: number): void {
    this.resourceItems.moveTo(bytes, start, end);
  }

  enterScope(bytes: Uint8Array, start: number, end: number): void {
    this.scopeItems.moveTo(bytes, start, end);
  }

  enterItem(bytes: Uint8Array, start: number, end: number): void {
    this.item.moveTo(bytes, start, end);
    this.#childIndex = -1;
  }

  enterChild(bytes: Uint8Array, start: number, end: number, fieldNumber: number): void {
    this.child.moveTo(bytes, start, end);
    this.#childField = fieldNumber;
    this.#childIndex++;
  }

  /** Lets go of the request, so that its memory is not kept until the next one. */
  release(): void {
    const views = [this.resourceItems, this.scopeItems, this.item, this.child];
    for (const view of [...views, this.#resource, this.#scope]) view.moveTo(nothing, 0, 0);
  }
}

function moveToJoined(view: MovableView, group: MovableView, fieldNumber: number): void {
  const { bytes, start, end } = group;
  const parts: Uint8Array[] = [];
  let contentStart = start;
  let contentEnd = start;
  const field = new FieldCursor(bytes, start, end);
  while (field.next()) {
    if (field.number !== fieldNumber || field.wireType !== LENGTH_DELIMITED) continue;
    ({ contentStart, contentEnd } = field);
    parts.push(bytes.subarray(contentStart, contentEnd));
  }
  if (parts.length < 2) view.moveTo(bytes, contentStart, contentEnd);
  else {
    const joined = Buffer.concat(parts);
    view.moveTo(joined, 0, joined.length);
  }
}
