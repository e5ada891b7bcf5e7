import { jsonPathAt } from "./json-path.js";

/** Bytes of a refused value that an error shows. */
const MAX_SHOWN_BYTES = 48;

/**
 * A JSON text or a protobuf message that cannot be converted into the other.
 *
 * The message names the place, what was found there and what is expected, and is fit to be sent
 * back to whoever sent the text.
 */
export class JsonMappingError extends Error {
  override readonly name = "JsonMappingError";
  /** Where in the input, counted from 0; undefined where no single place is at fault. */
  readonly byteOffset: number | undefined;
  /** Such as `resourceSpans[0].scopeSpans[0].spans[3].traceId`; empty for the whole input. */
  readonly path: string;

  constructor(message: string, path: string, byteOffset: number | undefined) {
    super(message);
    this.path = path;
    this.byteOffset = byteOffset;
  }
}

/**
 * Refuses the JSON value that starts at `offset`: well-formed, but not what its key demands.
 *
 * @param expected what would have been accepted, such as `32 hexadecimal digits`
 */
export function refuseValue(json: Uint8Array, offset: number, expected: string): never {
  const path = jsonPathAt(json, offset);
  const subject = path === "" ? "the document" : `\`${path}\``;
  throw new JsonMappingError(
    `${subject} at byte ${offset} is ${describeValue(json, offset)}, expected ${expected}`,
    path,
    offset,
  );
}

/**
 * Refuses a text that stops being JSON at `offset`.
 *
 * @param expected what would have been accepted, such as `` `,` or `}` ``
 */
export function refuseSyntax(json: Uint8Array, offset: number, expected: string): never {
  const path = jsonPathAt(json, offset);
  const place = path === "" ? "" : ` in \`${path}\``;
  throw new JsonMappingError(
    `not JSON at byte ${offset}${place}: found ${describeByte(json, offset)}, expected ${expected}`,
    path,
    offset,
  );
}

/** Refuses a text for a reason that is neither a wrong value nor wrong syntax. */
export function refusePlace(json: Uint8Array, offset: number, reason: string): never {
  const path = jsonPathAt(json, offset);
  const subject = path === "" ? "the document" : `\`${path}\``;
  throw new JsonMappingError(`${subject} at byte ${offset} ${reason}`, path, offset);
}

function describeValue(json: Uint8Array, offset: number): string {
  const first = json[offset];
  if (first === 0x7b) return "an object";
  if (first === 0x5b) return "a list";
  const end = first === 0x22 ? endOfText(json, offset) : endOfLiteral(json, offset);
  if (end - offset <= MAX_SHOWN_BYTES) return decode(json, offset, end);
  const shown = decode(json, offset, offset + MAX_SHOWN_BYTES);
  return `${shown}... (${end - offset} bytes)`;
}

function describeByte(json: Uint8Array, offset: number): string {
  const byte = json[offset];
  if (byte === undefined) return "the end of the input";
  if (byte > 0x20 && byte < 0x7f) return `\`${String.fromCharCode(byte)}\``;
  return `byte 0x${byte.toString(16).padStart(2, "0")}`;
}

function endOfText(json: Uint8Array, offset: number): number {
  let at = offset + 1;
  while (at < json.length && json[at] !== 0x22) at += json[at] === 0x5c ? 2 : 1;
  return Math.min(at + 1, json.length);
}

function endOfLiteral(json: Uint8Array, offset: number): number {
  let at = offset;
  while (at < json.length && !isDelimiter(json[at])) at++;
  return at;
}

function isDelimiter(byte: number | undefined): boolean {
  if (byte === undefined || byte <= 0x20) return true;
  return byte === 0x2c || byte === 0x3a || byte === 0x5d || byte === 0x7d;
}

function decode(json: Uint8Array, start: number, end: number): string {
  return Buffer.from(json.subarray(start, end)).toString("utf8");
}
