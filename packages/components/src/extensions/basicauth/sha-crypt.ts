import { createHash } from "node:crypto";
import { cryptBase64 } from "./crypt-base64.js";

/** Rounds when none are written, as in the specification. */
const DEFAULT_ROUNDS = 5_000;

/** Most rounds: a check takes about a second then. */
export const SHA_CRYPT_ROUNDS_MAX = 500_000;

/** What differs between SHA-256 (`$5$`) and SHA-512 (`$6$`). */
interface Variant {
  readonly algorithm: string;
  readonly bytes: number;
  /** How the numbers of three bytes that are written together change from group to group. */
  readonly turn: (triple: Triple) => Triple;
  readonly groups: number;
  readonly tail: readonly [high: number, middle: number, low: number, length: number];
}

type Triple = readonly [number, number, number];

const variants: Readonly<Record<string, Variant>> = {
  "5": {
    algorithm: "sha256",
    bytes: 32,
    turn: ([a, b, c]) => [c + 1, a + 1, b + 1],
    groups: 10,
    tail: [-1, 31, 30, 3],
  },
  "6": {
    algorithm: "sha512",
    bytes: 64,
    turn: ([a, b, c]) => [b + 1, c + 1, a + 1],
    groups: 21,
    tail: [-1, -1, 63, 2],
  },
};

/**
 * SHA-crypt of a password with the salt and the rounds of a stored one; written the same.
 *
 * As Ulrich Drepper's specification has it (https://www.akkadia.org/drepper/SHA-crypt.txt).
 *
 * @param stored `$5$` or `$6$`, checked before
 */
export function shaCrypt(password: string, stored: string): string {
  const [, kind = "", ...rest] = stored.split("$");
  const hasRounds = rest[0]?.startsWith("rounds=") === true;
  const rounds = hasRounds ? Number(rest[0]?.slice(7)) : DEFAULT_ROUNDS;
  const salt = Buffer.from(rest[hasRounds ? 1 : 0] ?? "", "utf8");
  const variant = variants[kind];
  if (variant === undefined) throw new RangeError("stored password is no SHA-crypt");
  const key = Buffer.from(password, "utf8");
  const digest = stretched(variant, key, salt, rounds);
  const prefix = stored.slice(0, stored.lastIndexOf("$") + 1);
  return prefix + written(variant, digest);
}

function stretched(
  { algorithm, bytes }: Variant,
  key: Buffer,
  salt: Buffer,
  rounds: number,
): Buffer {
  const inner = createHash(algorithm).update(key).update(salt).update(key).digest();
  const first = createHash(algorithm).update(key).update(salt);
  first.update(repeated(inner, key.byteLength));
  for (let bits = key.byteLength; bits > 0; bits >>>= 1) {
    first.update((bits & 1) === 1 ? inner : key);
  }
  let digest = first.digest();
  const keyHash = createHash(algorithm);
  for (let count = 0; count < key.byteLength; count++) keyHash.update(key);
  const keyBytes = repeated(keyHash.digest(), key.byteLength);
  const saltHash = createHash(algorithm);
  for (let count = 0; count < 16 + (digest[0] ?? 0); count++) saltHash.update(salt);
  const saltBytes = repeated(saltHash.digest(), salt.byteLength);
  for (let round = 0; round < rounds; round++) {
    const next = createHash(algorithm).update(round % 2 === 1 ? keyBytes : digest);
    if (round % 3 !== 0) next.update(saltBytes);
    if (round % 7 !== 0) next.update(keyBytes);
    digest = next.update(round % 2 === 1 ? digest : keyBytes).digest();
  }
  return digest.subarray(0, bytes);
}

/** `length` bytes of a digest written again and again. */
function repeated(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, length === 0 ? undefined : digest);
}

function written({ bytes, groups, tail, turn }: Variant, digest: Buffer): string {
  const at = (index: number) => (index < 0 ? 0 : (digest[index] ?? 0));
  const third = Math.floor(bytes / 3);
  let triple: Triple = [0, third, 2 * third];
  let text = "";
  for (let group = 0; group < groups; group++) {
    text += cryptBase64(at(triple[0]), at(triple[1]), at(triple[2]), 4);
    triple = turn(triple);
  }
  const [high, middle, low, length] = tail;
  return text + cryptBase64(at(high), at(middle), at(low), length);
}
