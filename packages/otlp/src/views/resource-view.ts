import { AttributedView } from "./message-view.js";

/** A Resource message: what produced the telemetry. */
export class ResourceView extends AttributedView {
  protected readonly attributesField = 1;

  /** Attributes that the sender left out; 0 when unset. */
  get droppedAttributesCount(): number {
    return this.varint32(2);
  }
}
