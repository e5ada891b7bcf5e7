import type { AttributeValue } from "../attribute/attribute-value.js";
import { decodeAnyValue } from "../attribute/decode-any-value.js";
import { AttributedView } from "./message-view.js";

/** A LogRecord message. Identifiers are views of the request, empty when absent. */
export class LogRecordView extends AttributedView {
  protected readonly attributesField = 6;

  get timeUnixNano(): bigint {
    return this.fixed64(1);
  }

  get observedTimeUnixNano(): bigint {
    return this.fixed64(11);
  }

  /** A number of the enum SeverityNumber, 1 to 24; 0 when unset. */
  get severityNumber(): number {
    return this.varint32(2);
  }

  get severityText(): string {
    return this.text(3);
  }

  /** Any value, decoded; undefined when unset. */
  get body(): AttributeValue {
    const start = this.startOf(5);
    return start < 0 ? undefined : decodeAnyValue(this.bytes, start, this.endOf(5));
  }

  get eventName(): string {
    return this.text(12);
  }

  get flags(): number {
    return this.fixed32(8);
  }

  get traceId(): Uint8Array {
    return this.binary(9);
  }

  get spanId(): Uint8Array {
    return this.binary(10);
  }
}
