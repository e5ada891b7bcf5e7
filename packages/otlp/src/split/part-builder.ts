import { varint32Length, writeVarint32 } from "../wire/varint.js";
import { LENGTH_DELIMITED } from "../wire/wire-type.js";
import type { RequestPart } from "./split-request.js";

/** A message that is being divided: what each of its parts begins with. */
interface OpenMessage {
  readonly fieldNumber: number;
  /** Fields that go into every part, as start, end, start, end, ... */
  readonly envelope: readonly number[];
  readonly envelopeBytes: number;
  /** What it holds in the current part; undefined before the first. */
  content: Content | undefined;
}

/** Content of a message of the part: ranges of the source and messages, in order. */
interface Content {
  readonly pieces: (Range | NestedMessage)[];
  /** Without the message that is open inside it, if there is one. */
  byteLength: number;
}

interface Range {
  readonly start: number;
  end: number;
}

interface NestedMessage {
  readonly fieldNumber: number;
  readonly content: Content;
}

/**
 * Collects fields into parts that keep the limits, and knows the exact size of the part at any time.
 *
 * The caller walks a request from front to back, opens a message that must be divided, adds its
 * children and closes it. A new part begins with the envelopes of all messages that are open.
 */
export class PartBuilder {
  readonly #source: Uint8Array;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #open: OpenMessage[];
  readonly #parts: RequestPart[] = [];
  #itemCount = 0;
  #isEmpty = true;

  /** @param requestEnvelope ranges that go into every part as they are, outside of any Resource */
  constructor(
    source: Uint8Array,
    requestEnvelope: readonly number[],
    limits: { readonly maxItems: number; readonly maxBytes: number },
  ) {
    this.#source = source;
    this.#maxItems = limits.maxItems;
    this.#maxBytes = limits.maxBytes;
    this.#open = [openMessage(0, requestEnvelope)];
  }

  /** Begins to divide a message, which is a field of the one that was opened last. */
  open(fieldNumber: number, envelope: readonly number[]): void {
    this.#open.push(openMessage(fieldNumber, envelope));
  }

  /** Ends the message that was opened last. */
  close(): void {
    const closed = this.#open.pop();
    const parent = this.#open.at(-1);
    if (closed?.content === undefined || parent?.content === undefined) return;
    parent.content.byteLength += fieldLength(closed.content.byteLength);
  }

  /** Adds a whole field to the current part, unless it would be above a limit then. */
  addIfItFits(start: number, end: number, itemCount: number): boolean {
    if (this.#itemCount + itemCount > this.#maxItems) return false;
    if (this.#lengthWith(end - start, false) > this.#maxBytes) return false;
    this.#add(start, end, itemCount);
    return true;
  }

  /** Whether a field of this length would keep the limits in a part of its own. */
  fitsAlone(byteLength: number, itemCount: number): boolean {
    return itemCount <= this.#maxItems && this.#lengthWith(byteLength, true) <= this.#maxBytes;
  }

  /** Adds a whole field to a new part, even when it is above the limits there. */
  addToNextPart(start: number, end: number, itemCount: number): void {
    this.#finishPart();
    this.#add(start, end, itemCount);
  }

  /** Ends the last part and hands out all of them. */
  finish(): RequestPart[] {
    this.#finishPart();
    return this.#parts;
  }

  #add(start: number, end: number, itemCount: number): void {
    let parent: Content | undefined;
    for (const message of this.#open) {
      if (message.content === undefined) {
        message.content = beginContent(message);
        parent?.pieces.push({ fieldNumber: message.fieldNumber, content: message.content });
      }
      parent = message.content;
    }
    if (parent === undefined) return;
    const last = parent.pieces.at(-1);
    // Neighbours in the source become one chunk.
    if (last !== undefined && "end" in last && last.end === start) last.end = end;
    else parent.pieces.push({ start, end });
    parent.byteLength += end - start;
    this.#itemCount += itemCount;
    this.#isEmpty = false;
  }

  /** Size of the part with `added` more bytes in the message that was opened last. */
  #lengthWith(added: number, isNewPart: boolean): number {
    let length = added;
    for (let index = this.#open.length - 1; index >= 0; index--) {
      const message = this.#open[index];
      if (message === undefined) continue;
      const content = isNewPart ? undefined : message.content;
      length += content?.byteLength ?? message.envelopeBytes;
      if (index > 0) length = fieldLength(length);
    }
    return length;
  }

  #finishPart(): void {
    if (this.#isEmpty) return;
    const lengths = this.#open.length;
    for (let index = lengths - 1; index > 0; index--) {
      const closed = this.#open[index]?.content;
      const parent = this.#open[index - 1]?.content;
      if (closed !== undefined && parent !== undefined) {
        parent.byteLength += fieldLength(closed.byteLength);
      }
    }
    const request = this.#open[0]?.content;
    if (request !== undefined) {
      const chunks: Uint8Array[] = [];
      this.#collect(request, chunks);
      this.#parts.push({ chunks, itemCount: this.#itemCount, byteLength: request.byteLength });
    }
    for (const message of this.#open) message.content = undefined;
    this.#itemCount = 0;
    this.#isEmpty = true;
  }

  #collect(content: Content, chunks: Uint8Array[]): void {
    for (const piece of content.pieces) {
      if ("end" in piece) {
        chunks.push(this.#source.subarray(piece.start, piece.end));
      } else {
        chunks.push(encodeHeader(piece.fieldNumber, piece.content.byteLength));
        this.#collect(piece.content, chunks);
      }
    }
  }
}

function openMessage(fieldNumber: number, envelope: readonly number[]): OpenMessage {
  let envelopeBytes = 0;
  for (let index = 0; index < envelope.length; index += 2) {
    envelopeBytes += (envelope[index + 1] ?? 0) - (envelope[index] ?? 0);
  }
  return { fieldNumber, envelope, envelopeBytes, content: undefined };
}

function beginContent(message: OpenMessage): Content {
  const pieces: Range[] = [];
  for (let index = 0; index < message.envelope.length; index += 2) {
    pieces.push({ start: message.envelope[index] ?? 0, end: message.envelope[index + 1] ?? 0 });
  }
  return { pieces, byteLength: message.envelopeBytes };
}

/** Length of a field with content of this length; all field numbers on the way are below 16. */
function fieldLength(contentLength: number): number {
  return 1 + varint32Length(contentLength) + contentLength;
}

function encodeHeader(fieldNumber: number, contentLength: number): Uint8Array {
  const header = Buffer.allocUnsafe(1 + varint32Length(contentLength));
  header[0] = (fieldNumber << 3) | LENGTH_DELIMITED;
  writeVarint32(header, 1, contentLength);
  return header;
}
