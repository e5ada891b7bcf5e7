import type { ByteWriter } from "./byte-writer.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const INVALID = 0xff;
const PADDING = 0x3d;

const CHARACTERS = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const VALUES = new Uint8Array(256).fill(INVALID);
CHARACTERS.forEach((character, value) => {
  VALUES[character] = value;
});
// base64url (RFC 4648 section 5) differs in two characters; both alphabets are read.
VALUES["-".charCodeAt(0)] = 62;
VALUES["_".charCodeAt(0)] = 63;

/**
 * Appends the bytes that the base64 text in `bytes[start, end)` stands for.
 *
 * Accepts the standard and the URL alphabet, with padding or without, as protobuf's JSON mapping
 * demands. Room for three bytes of every four characters must be reserved.
 *
 * @returns whether the text is base64; if not, the writer is left as it was
 */
export function decodeBase64(
  bytes: Uint8Array,
  start: number,
  end: number,
  writer: ByteWriter,
): boolean {
  const target = writer.bytes;
  let length = writer.length;
  let bits = 0;
  let characters = 0;
  let padding = 0;
  for (let at = start; at < end; at++) {
    const character = bytes[at] as number;
    if (character === PADDING) {
      padding++;
      continue;
    }
    const value = VALUES[character] as number;
    if (value === INVALID || padding > 0) return false;
    bits = (bits << 6) | value;
    if ((++characters & 3) !== 0) continue;
    target[length++] = bits >>> 16;
    target[length++] = bits >>> 8;
    target[length++] = bits;
    bits = 0;
  }
  const rest = characters & 3;
  if (rest === 1 || (padding > 0 && padding !== ((4 - rest) & 3))) return false;
  if (rest > 1) target[length++] = bits >>> (rest === 2 ? 4 : 10);
  if (rest === 3) target[length++] = bits >>> 2;
  writer.length = length;
  return true;
}

/**
 * Appends `bytes[start, end)` as standard base64 with padding.
 *
 * Room for four characters of every three bytes or part of them must be reserved.
 */
export function encodeBase64(
  bytes: Uint8Array,
  start: number,
  end: number,
  writer: ByteWriter,
): void {
  const target = writer.bytes;
  let length = writer.length;
  for (let at = start; at < end; at += 3) {
    const count = Math.min(end - at, 3);
    const first = bytes[at] as number;
    const second = count > 1 ? (bytes[at + 1] as number) : 0;
    const third = count > 2 ? (bytes[at + 2] as number) : 0;
    target[length++] = CHARACTERS[first >>> 2] as number;
    target[length++] = CHARACTERS[((first & 3) << 4) | (second >>> 4)] as number;
    target[length++] =
      count > 1 ? (CHARACTERS[((second & 15) << 2) | (third >>> 6)] as number) : PADDING;
    target[length++] = count > 2 ? (CHARACTERS[third & 63] as number) : PADDING;
  }
  writer.length = length;
}
