import type { Clock } from "@inode-gateway/contract";

/** Cookies one destination may set; above it the oldest is forgotten. Balancers set one or two. */
export const COOKIES_MAX = 50;
/** Longest cookie that is kept, name and value, as in RFC 6265, section 6.1. */
export const COOKIE_BYTES_MAX = 4_096;

interface Cookie {
  readonly value: string;
  /** On the clock of the Unix epoch; `Infinity` for a cookie of the session. */
  readonly expiresUnixMs: number;
}

/**
 * The cookies of one URL, for balancers that keep a client at one backend by them.
 *
 * Requests always go to the same URL: so `Domain`, `Path`, `Secure` and `SameSite`, which say where
 * else a cookie belongs, are not looked at.
 */
export class CookieJar {
  readonly #clock: Clock;
  readonly #cookies = new Map<string, Cookie>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The `cookie` header for the next request; undefined without cookies. */
  get header(): string | undefined {
    const nowUnixMs = this.#clock.unixMs();
    const pairs: string[] = [];
    for (const [name, { expiresUnixMs, value }] of this.#cookies) {
      if (expiresUnixMs <= nowUnixMs) this.#cookies.delete(name);
      else pairs.push(`${name}=${value}`);
    }
    return pairs.length === 0 ? undefined : pairs.join("; ");
  }

  /** Takes the values of `set-cookie`; what is no cookie is passed over, as browsers do. */
  store(setCookie: readonly string[]): void {
    for (const line of setCookie) {
      const [pair = "", ...attributes] = line.split(";");
      const match = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*([\x21-\x7e]*)\s*$/.exec(pair);
      const [, name, value] = match ?? [];
      if (name === undefined || value === undefined || pair.length > COOKIE_BYTES_MAX) continue;
      // Last in order again, so that the first is the one longest unheard of.
      this.#cookies.delete(name);
      this.#cookies.set(name, { value, expiresUnixMs: this.#expiryOf(attributes) });
      const [oldest] = this.#cookies.keys();
      if (this.#cookies.size > COOKIES_MAX && oldest !== undefined) this.#cookies.delete(oldest);
    }
  }

  #expiryOf(attributes: readonly string[]): number {
    let expiresUnixMs = Number.POSITIVE_INFINITY;
    for (const attribute of attributes) {
      const [name = "", value = ""] = attribute.split("=", 2).map((part) => part.trim());
      // Max-Age comes before Expires, wherever it stands (RFC 6265, section 5.3).
      if (name.toLowerCase() === "max-age" && /^-?\d{1,15}$/.test(value)) {
        return this.#clock.unixMs() + Number(value) * 1_000;
      }
      if (name.toLowerCase() !== "expires") continue;
      const unixMs = Date.parse(value);
      if (!Number.isNaN(unixMs)) expiresUnixMs = unixMs;
    }
    return expiresUnixMs;
  }
}
