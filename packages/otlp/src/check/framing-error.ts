/** A request whose bytes are not a well-framed protobuf message of its signal. */
export class FramingError extends Error {
  /** Where the faulty part begins, counted from the first byte of the request. */
  readonly byteOffset: number;
  /**
   * Which field it belongs to, such as `resource_spans[3].resource.attributes[0].value`; of a field
   * that OTLP does not define, the message that holds it. Empty for the request itself.
   */
  readonly path: string;

  constructor(problem: string, byteOffset: number, path: string) {
    const place = path === "" ? "in the request itself" : `in \`${path}\``;
    super(`${problem}, at byte ${byteOffset} ${place}`);
    this.name = "FramingError";
    this.byteOffset = byteOffset;
    this.path = path;
  }
}
