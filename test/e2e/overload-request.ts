import { spansOf } from "./spans.js";

/** Digits of a request's number, which stands in it as text. */
const numberDigits = 8;
const placeholder = "N".repeat(numberDigits);
/** A request is a span with an attribute of this many bytes. */
const payloadBytes = 100_000;

const template = Buffer.from(spansOf(placeholder, { payload: "x".repeat(payloadBytes) }));
const numberAt = template.indexOf(placeholder);

/** Bytes of one request. */
export const requestBytes = template.byteLength;

/** The request with this number, in memory of its own. */
export function numberedRequest(number: number): Buffer {
  const body = Buffer.from(template);
  body.write(String(number).padStart(numberDigits, "0"), numberAt, "latin1");
  return body;
}

/** The number of a request that arrived as it was sent. */
export function numberOf(message: Uint8Array): number {
  return Number(Buffer.from(message.subarray(numberAt, numberAt + numberDigits)));
}
