import { createHash } from "node:crypto";
import { cryptBase64 } from "./crypt-base64.js";

const ROUNDS = 1_000;

/** The order in which the bytes of the digest are written, three at a time. */
const ORDER: readonly (readonly [number, number, number])[] = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
];

/**
 * MD5-crypt of a password with the salt of a stored one, `$1$` or Apache's `$apr1$`; written the same.
 *
 * The scheme of Poul-Henning Kamp (FreeBSD, 1994), as `openssl passwd -1` and `-apr1` have it.
 */
export function md5Crypt(password: string, stored: string): string {
  const [, kind = "", salt = ""] = stored.split("$");
  const key = Buffer.from(password, "utf8");
  const inner = md5(key, Buffer.from(salt), key);
  const first = createHash("md5").update(key).update(`$${kind}$`).update(salt);
  for (let left = key.byteLength; left > 0; left -= 16) {
    first.update(inner.subarray(0, Math.min(left, 16)));
  }
  for (let bits = key.byteLength; bits > 0; bits >>>= 1) {
    first.update((bits & 1) === 1 ? Uint8Array.of(0) : key.subarray(0, 1));
  }
  let digest = first.digest();
  for (let round = 0; round < ROUNDS; round++) {
    const next = createHash("md5").update(round % 2 === 1 ? key : digest);
    if (round % 3 !== 0) next.update(salt);
    if (round % 7 !== 0) next.update(key);
    digest = next.update(round % 2 === 1 ? digest : key).digest();
  }
  const at = (index: number) => digest[index] ?? 0;
  const groups = ORDER.map(([high, middle, low]) => cryptBase64(at(high), at(middle), at(low), 4));
  return `$${kind}$${salt}$${groups.join("")}${cryptBase64(0, 0, at(11), 2)}`;
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
