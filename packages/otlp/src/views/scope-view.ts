import { AttributedView } from "./message-view.js";

/** An InstrumentationScope message: the library that produced the items. */
export class ScopeView extends AttributedView {
  protected readonly attributesField = 3;

  get name(): string {
    return this.text(1);
  }

  get version(): string {
    return this.text(2);
  }
}
