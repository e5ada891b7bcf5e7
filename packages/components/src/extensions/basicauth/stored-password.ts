import { createHash, timingSafeEqual } from "node:crypto";
import { compareSync } from "bcryptjs";
import { md5Crypt } from "./md5-crypt.js";
import { SHA_CRYPT_ROUNDS_MAX, shaCrypt } from "./sha-crypt.js";

/** Highest cost of bcrypt: each step doubles the time of a check, 14 takes about a second. */
export const BCRYPT_COST_MAX = 14;

/** How a password is stored: what the Collector's htpasswd library reads. */
export type PasswordForm = "plain" | "sha" | "ssha" | "bcrypt" | "md5_crypt" | "sha_crypt";

/** A password as an htpasswd file has it. */
export interface StoredPassword {
  readonly form: PasswordForm;
  /** As written; a secret, even when hashed. */
  readonly text: string;
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const MD5_CRYPT = /^\$(?:apr1|1)\$([^$]{0,8})\$[./A-Za-z0-9]{22}$/;
const SHA_CRYPT = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./A-Za-z0-9]+)$/;

/** Recognises a stored password; a problem says what is wrong and repeats nothing of it. */
export function storedPassword(text: string): StoredPassword | { readonly problem: string } {
  if (text.startsWith("{SHA}")) return digestForm("sha", text, 5, (bytes) => bytes === 20);
  if (text.startsWith("{SSHA}")) return digestForm("ssha", text, 6, (bytes) => bytes > 20);
  if (/^\{[A-Za-z0-9.-]+\}/.test(text)) return { problem: unsupported };
  if (/^\$2[aby]\$/.test(text)) return bcryptForm(text);
  if (/^\$(apr1|1)\$/.test(text)) return crypted("md5_crypt", text, MD5_CRYPT);
  if (/^\$[56]\$/.test(text)) return shaCryptForm(text);
  if (/^\$[A-Za-z0-9-]+\$/.test(text)) return { problem: unsupported };
  if (text === "") return { problem: "is empty" };
  return { form: "plain", text };
}

const unsupported =
  "is hashed in a way that is not supported, use bcrypt ($2y$), SHA-crypt ($5$, $6$), " +
  "MD5-crypt ($apr1$, $1$), {SHA}, {SSHA} or plain text";

/** Whether checking takes long enough to be kept from the thread that serves requests. */
export function isSlow({ form }: StoredPassword): boolean {
  return form === "bcrypt" || form === "md5_crypt" || form === "sha_crypt";
}

/** Whether a password is the stored one. Takes up to a second when {@link isSlow}. */
export function matches(password: string, { form, text }: StoredPassword): boolean {
  switch (form) {
    case "plain":
      return isSame(sha256(password), sha256(text));
    case "sha":
      return isSame(sha1(password), Buffer.from(text.slice(5), "base64"));
    case "ssha": {
      const stored = Buffer.from(text.slice(6), "base64");
      return isSame(sha1(password, stored.subarray(20)), stored.subarray(0, 20));
    }
    case "bcrypt":
      return compareSync(password, text);
    case "md5_crypt":
      return isSame(Buffer.from(md5Crypt(password, text)), Buffer.from(text));
    case "sha_crypt":
      return isSame(Buffer.from(shaCrypt(password, text)), Buffer.from(text));
  }
}

function bcryptForm(text: string): ReturnType<typeof storedPassword> {
  const cost = Number(BCRYPT.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(cost)) return { problem: broken };
  if (cost >= 4 && cost <= BCRYPT_COST_MAX) return { form: "bcrypt", text };
  return {
    problem: `has a bcrypt cost of ${cost}, 4 to ${BCRYPT_COST_MAX} are allowed`,
  };
}

function shaCryptForm(text: string): ReturnType<typeof storedPassword> {
  const [, kind, rounds = "5000", , digest = ""] = SHA_CRYPT.exec(text) ?? [];
  if (digest.length !== (kind === "5" ? 43 : 86)) return { problem: broken };
  if (Number(rounds) >= 1_000 && Number(rounds) <= SHA_CRYPT_ROUNDS_MAX) {
    return { form: "sha_crypt", text };
  }
  return {
    problem: `has ${Number(rounds)} rounds, 1000 to ${SHA_CRYPT_ROUNDS_MAX} are allowed`,
  };
}

function crypted(
  form: PasswordForm,
  text: string,
  pattern: RegExp,
): ReturnType<typeof storedPassword> {
  return pattern.test(text) ? { form, text } : { problem: broken };
}

function digestForm(
  form: PasswordForm,
  text: string,
  start: number,
  isComplete: (bytes: number) => boolean,
): ReturnType<typeof storedPassword> {
  const digest = text.slice(start);
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(digest);
  if (!isBase64 || !isComplete(Buffer.from(digest, "base64").byteLength)) {
    return { problem: broken };
  }
  return { form, text };
}

const broken = "begins like a hash and is none: is a part missing?";

function isSame(left: Buffer, right: Buffer): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function sha1(password: string, salt: Uint8Array = new Uint8Array()): Buffer {
  return createHash("sha1").update(password).update(salt).digest();
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
