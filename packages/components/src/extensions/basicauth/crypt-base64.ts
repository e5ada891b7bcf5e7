const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Writes up to three bytes as crypt(3) does: six bits a character, the lowest first. */
export function cryptBase64(high: number, middle: number, low: number, length: number): string {
  let bits = (high << 16) | (middle << 8) | low;
  let text = "";
  for (let index = 0; index < length; index++) {
    text += ALPHABET[bits & 0x3f];
    bits >>>= 6;
  }
  return text;
}
