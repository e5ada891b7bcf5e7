const FIRST_NON_ASCII = 0x80;

/** Decodes UTF-8; invalid sequences, which the framing check refuses, become U+FFFD. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString("utf8", start, end);
}

/** Whether the bytes are the UTF-8 of `text`; decodes nothing as long as both are ASCII. */
export function equalsText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  const length = end - start;
  // A character takes at least as many bytes in UTF-8 as it takes units in a string.
  if (length < text.length) return false;
  for (let index = 0; index < text.length; index++) {
    const byte = bytes[start + index] ?? 0;
    const unit = text.charCodeAt(index);
    if (byte >= FIRST_NON_ASCII && unit >= FIRST_NON_ASCII) {
      return readText(bytes, start, end) === text;
    }
    if (byte !== unit) return false;
  }
  return length === text.length;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
