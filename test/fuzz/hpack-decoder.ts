/** A header field as it was read. */
export type Field = readonly [name: string, value: string];

/** Largest dynamic table an encoder may use unless told otherwise (RFC 9113, section 6.5.2). */
const TABLE_BYTES_MAX = 4_096;
const FIELD_OVERHEAD_BYTES = 32;

/**
 * Reads header blocks of answers (RFC 7541) without the code that wrote them, so that a test notices
 * when that is wrong. Huffman codes of bytes beyond ASCII are refused: no answer of ours has any.
 */
export class HpackDecoder {
  readonly #dynamic: Field[] = [];
  #tableBytesMax = TABLE_BYTES_MAX;

  /** @throws Error when the block is not legal */
  decode(block: Buffer): Field[] {
    const fields: Field[] = [];
    const cursor = { block, offset: 0 };
    while (cursor.offset < block.length) {
      const first = block[cursor.offset] ?? 0;
      if ((first & 0x80) !== 0) fields.push(this.#entry(readInteger(cursor, 7)));
      else if ((first & 0x40) !== 0) fields.push(this.#remember(this.#literal(cursor, 6)));
      else if ((first & 0x20) !== 0) this.#resize(readInteger(cursor, 5), fields.length);
      else fields.push(this.#literal(cursor, 4));
    }
    return fields;
  }

  #literal(cursor: Cursor, prefixBits: number): Field {
    const index = readInteger(cursor, prefixBits);
    const name = index === 0 ? readText(cursor) : this.#entry(index)[0];
    return [name, readText(cursor)];
  }

  #entry(index: number): Field {
    const field = index <= staticTable.length ? staticTable[index - 1] : undefined;
    const found = field ?? this.#dynamic[index - 1 - staticTable.length];
    if (found === undefined) throw new Error(`no entry ${index} in the table`);
    return found;
  }

  #remember(field: Field): Field {
    this.#dynamic.unshift(field);
    this.#evict();
    return field;
  }

  #resize(bytes: number, fieldsBefore: number): void {
    if (fieldsBefore > 0) throw new Error("the table changes its size behind a field");
    if (bytes > TABLE_BYTES_MAX) throw new Error(`a table of ${bytes} bytes`);
    this.#tableBytesMax = bytes;
    this.#evict();
  }

  #evict(): void {
    let bytes = 0;
    const end = this.#dynamic.findIndex(([name, value]) => {
      bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
      return bytes > this.#tableBytesMax;
    });
    if (end >= 0) this.#dynamic.length = end;
  }
}

interface Cursor {
  readonly block: Buffer;
  offset: number;
}

function readByte(cursor: Cursor): number {
  const byte = cursor.block[cursor.offset++];
  if (byte === undefined) throw new Error("the header block ends too early");
  return byte;
}

function readInteger(cursor: Cursor, prefixBits: number): number {
  const mask = 2 ** prefixBits - 1;
  let value = readByte(cursor) & mask;
  if (value < mask) return value;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Error("an integer of too many bytes");
}

function readText(cursor: Cursor): string {
  const isHuffman = ((cursor.block[cursor.offset] ?? 0) & 0x80) !== 0;
  const length = readInteger(cursor, 7);
  const bytes = cursor.block.subarray(cursor.offset, cursor.offset + length);
  if (bytes.length < length) throw new Error("a text ends behind its header block");
  cursor.offset += length;
  return isHuffman ? readHuffman(bytes) : bytes.toString("latin1");
}

function readHuffman(bytes: Buffer): string {
  let text = "";
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const symbol = huffmanSymbols.get(length * 2 ** 20 + code);
      if (symbol === undefined) {
        if (length > HUFFMAN_BITS_MAX) throw new Error("a Huffman code that is not of ASCII");
        continue;
      }
      text += symbol;
      code = 0;
      length = 0;
    }
  }
  if (length > 7 || code !== 2 ** length - 1) throw new Error("wrong padding of a Huffman text");
  return text;
}

const HUFFMAN_BITS_MAX = 19;
/** Bits of the codes of the bytes 32 to 126 (RFC 7541, appendix B). */
const huffmanBits = [
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6,
  12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15,
  11, 14, 13,
];
/** Byte 0 has a code of 13 bits too, the first of them. */
const codesOf13BitsBefore = 1;

/** The code is canonical: codes of one length follow each other in the order of their symbols. */
const huffmanSymbols = canonicalCode();

function canonicalCode(): ReadonlyMap<number, string> {
  const symbols = new Map<number, string>();
  let code = 0;
  for (let bits = 5; bits <= HUFFMAN_BITS_MAX; bits++) {
    if (bits === 13) code += codesOf13BitsBefore;
    for (const [index, own] of huffmanBits.entries()) {
      if (own !== bits) continue;
      symbols.set(bits * 2 ** 20 + code, String.fromCharCode(32 + index));
      code++;
    }
    code *= 2;
  }
  return symbols;
}

const staticTable: readonly Field[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  ...["200", "204", "206", "304", "400", "404", "500"].map((code): Field => [":status", code]),
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ...`accept-language accept-ranges accept access-control-allow-origin age allow authorization
cache-control content-disposition content-encoding content-language content-length content-location
content-range content-type cookie date etag expect expires from host if-match if-modified-since
if-none-match if-range if-unmodified-since last-modified link location max-forwards
proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie
strict-transport-security transfer-encoding user-agent vary via www-authenticate`
    .split(/\s+/)
    .map((name): Field => [name, ""]),
];
