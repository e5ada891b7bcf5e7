import { AttributedView, MessageView } from "./message-view.js";

/** A Span message. Identifiers are views of the request, empty when absent. */
export class SpanView extends AttributedView {
  protected readonly attributesField = 9;

  get traceId(): Uint8Array {
    return this.binary(1);
  }

  get spanId(): Uint8Array {
    return this.binary(2);
  }

  get traceState(): string {
    return this.text(3);
  }

  get parentSpanId(): Uint8Array {
    return this.binary(4);
  }

  get name(): string {
    return this.text(5);
  }

  /** A number of the enum SpanKind; 0 when unset. */
  get kind(): number {
    return this.varint32(6);
  }

  get startTimeUnixNano(): bigint {
    return this.fixed64(7);
  }

  get endTimeUnixNano(): bigint {
    return this.fixed64(8);
  }

  /** W3C trace flags in the low eight bits; 0 when unset. */
  get flags(): number {
    return this.fixed32(16);
  }

  /** A number of the enum StatusCode: 0 unset, 1 ok, 2 error. */
  get statusCode(): number {
    return this.#status.code;
  }

  get statusMessage(): string {
    return this.#status.message;
  }

  /** What happened during the span, in wire order. */
  events(): Generator<SpanEventView> {
    return this.nested(11, (bytes, start, end) => new SpanEventView(bytes, start, end));
  }

  /** References to other spans, in wire order. */
  links(): Generator<SpanLinkView> {
    return this.nested(13, (bytes, start, end) => new SpanLinkView(bytes, start, end));
  }

  get #status(): StatusView {
    const start = Math.max(0, this.startOf(15));
    return new StatusView(this.bytes, start, Math.max(0, this.endOf(15)));
  }
}

/** A Span.Event message. */
export class SpanEventView extends AttributedView {
  protected readonly attributesField = 3;

  get timeUnixNano(): bigint {
    return this.fixed64(1);
  }

  get name(): string {
    return this.text(2);
  }
}

/** A Span.Link message. Identifiers are views of the request, empty when absent. */
export class SpanLinkView extends AttributedView {
  protected readonly attributesField = 4;

  get traceId(): Uint8Array {
    return this.binary(1);
  }

  get spanId(): Uint8Array {
    return this.binary(2);
  }

  get traceState(): string {
    return this.text(3);
  }
}

class StatusView extends MessageView {
  get message(): string {
    return this.text(2);
  }

  get code(): number {
    return this.varint32(3);
  }
}
