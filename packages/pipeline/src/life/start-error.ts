/** A component could not be made or started; the message names it, the cause says why. */
export class StartError extends Error {
  override readonly name = "StartError";
  /** Such as `exporter "otlp_grpc" for traces`. */
  readonly component: string;

  constructor(message: string, component: string, options?: ErrorOptions) {
    super(message, options);
    this.component = component;
  }
}
