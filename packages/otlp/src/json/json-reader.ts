import { ByteWriter } from "./byte-writer.js";
import { refusePlace, refuseSyntax, refuseValue } from "./json-mapping-error.js";
import { copyJsonString } from "./json-string.js";
import { MAX_IGNORED_DEPTH } from "./limits.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

// Strings are copied four bytes at a time.
const WORD_BYTES = 4;

const NOTHING = new Uint8Array(0);

/**
 * Reads JSON tokens from bytes, one after the other.
 *
 * `bytes`, `view` and `offset` are open to the functions that read values: a call per byte would
 * cost more than the conversion.
 */
export class JsonReader {
  bytes: Uint8Array = NOTHING;
  view: DataView = new DataView(NOTHING.buffer);
  /** Of the next byte to be read. */
  offset = 0;

  /** Where the content of the string last read by {@link readText} lies: `text[textStart, textEnd)`. */
  text: Uint8Array = NOTHING;
  textStart = 0;
  textEnd = 0;

  readonly #unescaped = new ByteWriter();

  /** Begins at the first byte of `bytes`, which must be valid UTF-8 and is not written to. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.offset = 0;
  }

  /** Lets go of the bytes, so that they can be collected. */
  close(): void {
    this.open(NOTHING);
    this.text = NOTHING;
    this.#unescaped.clear();
  }

  /** Skips white space; returns the byte behind it, which is not consumed, or 0 at the end. */
  peek(): number {
    const bytes = this.bytes;
    let at = this.offset;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte > 0x20) {
        this.offset = at;
        return byte;
      }
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        refuseSyntax(bytes, at, "white space or a value");
      }
      at++;
    }
    this.offset = at;
    return 0;
  }

  /** Consumes the colon between a key and its value; returns the first byte of the value. */
  readColon(): number {
    if (this.peek() !== COLON) refuseSyntax(this.bytes, this.offset, "`:`");
    this.offset++;
    return this.peek();
  }

  /**
   * Consumes what follows a member of an object or list: a comma, or the closing bracket.
   *
   * @returns whether another member follows
   */
  readSeparator(close: number): boolean {
    const byte = this.peek();
    if (byte === COMMA) {
      this.offset++;
      return true;
    }
    if (byte !== close) {
      const bracket = String.fromCharCode(close);
      refuseSyntax(this.bytes, this.offset, `\`,\` or \`${bracket}\``);
    }
    this.offset++;
    return false;
  }

  /** Consumes an opening bracket at the next byte; returns whether the closing one does not follow. */
  readOpening(close: number): boolean {
    this.offset++;
    if (this.peek() !== close) return true;
    this.offset++;
    return false;
  }

  /** Consumes `null` if that is what comes next; returns whether it was. */
  readNull(): boolean {
    if (this.bytes[this.offset] !== 0x6e) return false;
    this.readWord("null");
    return true;
  }

  /** Consumes one of JSON's words. */
  readWord(word: string): void {
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.offset + index] !== word.charCodeAt(index)) {
        refuseSyntax(this.bytes, this.offset, "a JSON value");
      }
    }
    this.offset += word.length;
  }

  /**
   * Consumes a string, quotes included, and leaves its content in {@link text}.
   *
   * A string without escapes is not copied. The content stays valid until the next call.
   */
  readText(): void {
    const bytes = this.bytes;
    const start = this.offset + 1;
    let at = start;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.text = bytes;
        this.textStart = start;
        this.textEnd = at;
        this.offset = at + 1;
        return;
      }
      if (byte === 0x5c || byte < 0x20) break;
      at++;
    }
    const unescaped = this.#unescaped;
    unescaped.length = 0;
    unescaped.reserve(endOfString(bytes, at) - start + WORD_BYTES);
    this.offset = copyJsonString(bytes, this.view, start, unescaped);
    this.text = unescaped.bytes;
    this.textStart = 0;
    this.textEnd = unescaped.length;
  }

  /** Consumes a number; returns the offset it begins at. */
  readNumberToken(): number {
    const start = this.offset;
    if (this.bytes[start] === 0x2d) this.offset++;
    if (this.bytes[this.offset] === 0x30) this.offset++;
    else this.#readDigits();
    if (this.bytes[this.offset] === 0x2e) {
      this.offset++;
      this.#readDigits();
    }
    if (((this.bytes[this.offset] ?? 0) | 0x20) === 0x65) {
      this.offset++;
      const sign = this.bytes[this.offset];
      if (sign === 0x2d || sign === 0x2b) this.offset++;
      this.#readDigits();
    }
    return start;
  }

  /** Consumes any value, of which only the syntax is checked. */
  skipValue(depth = 1): void {
    const first = this.peek();
    switch (first) {
      case QUOTE:
        this.readText();
        break;
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (depth > MAX_IGNORED_DEPTH) {
          refusePlace(
            this.bytes,
            this.offset,
            `is nested deeper than ${MAX_IGNORED_DEPTH} levels below a key that OTLP does not define`,
          );
        }
        if (first === OPEN_LIST) this.#skipList(depth);
        else this.#skipObject(depth);
        break;
      case 0x74:
        this.readWord("true");
        break;
      case 0x66:
        this.readWord("false");
        break;
      case 0x6e:
        this.readWord("null");
        break;
      default:
        if (first !== 0x2d && (first < 0x30 || first > 0x39)) {
          refuseSyntax(this.bytes, this.offset, "a JSON value");
        }
        this.readNumberToken();
    }
  }

  /** Refuses the value at the next byte; a byte that begins no value is a fault of syntax. */
  refuse(expected: string): never {
    const start = this.offset;
    this.skipValue();
    return refuseValue(this.bytes, start, expected);
  }

  #skipList(depth: number): void {
    let more = this.readOpening(CLOSE_LIST);
    while (more) {
      this.skipValue(depth + 1);
      more = this.readSeparator(CLOSE_LIST);
    }
  }

  #skipObject(depth: number): void {
    let more = this.readOpening(CLOSE_OBJECT);
    while (more) {
      if (this.peek() !== QUOTE) refuseSyntax(this.bytes, this.offset, "a key");
      this.readText();
      this.readColon();
      this.skipValue(depth + 1);
      more = this.readSeparator(CLOSE_OBJECT);
    }
  }

  #readDigits(): void {
    const bytes = this.bytes;
    const start = this.offset;
    let at = start;
    while (at < bytes.length && ((bytes[at] as number) - 0x30) >>> 0 < 10) at++;
    if (at === start) refuseSyntax(bytes, at, "a digit");
    this.offset = at;
  }
}

// The offset of the closing quote, or the end of the bytes: how far an escaped string can reach.
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === 0x5c ? 2 : 1;
  return Math.min(at, bytes.length);
}
