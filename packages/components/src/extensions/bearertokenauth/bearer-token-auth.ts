import { createHash, timingSafeEqual } from "node:crypto";
import type { ComponentSettings } from "@inode-gateway/contract";
import {
  AuthenticationError,
  type ClientAuthenticator,
  type RequestHeaders,
  type ServerAuthenticator,
} from "../../capabilities/authenticator.js";
import {
  type AuthenticationOutcome,
  authenticationCounts,
} from "../../credentials/authentication-counts.js";
import { CredentialFile } from "../../credentials/credential-file.js";
import type { BearerTokenAuthConfig } from "./config.js";
import { parseTokens } from "./tokens.js";

const nothingKnown: ReadonlyMap<string, string> = new Map();

/** Knows tokens: lets in who shows one of them, and shows the first to others. */
export class BearerTokenAuth implements ServerAuthenticator, ClientAuthenticator {
  readonly #settings: ComponentSettings;
  readonly #config: BearerTokenAuthConfig;
  readonly #headerName: string;
  readonly #file: CredentialFile | undefined;
  readonly #count: (outcome: AuthenticationOutcome) => void;
  #digests: readonly Buffer[] = [];
  #ownHeaders: ReadonlyMap<string, string> = new Map();

  constructor(settings: ComponentSettings, config: BearerTokenAuthConfig) {
    const { filename = "", header } = config;
    this.#settings = settings;
    this.#config = config;
    this.#count = authenticationCounts(settings);
    this.#headerName = header.toLowerCase();
    this.#file =
      filename === ""
        ? undefined
        : new CredentialFile(settings, {
            key: "filename",
            path: filename,
            apply: (text) => this.#use(parseTokens(text)),
          });
  }

  async start(): Promise<void> {
    const { token = "", tokens = [] } = this.#config;
    const configured = tokens.length > 0 ? tokens : [token];
    if (this.#file === undefined) {
      this.#use(configured);
      return;
    }
    if (configured[0] !== "") {
      this.#settings.logger.warn("a filename is specified. Configured token(s) is ignored!");
    }
    await this.#file.start();
  }

  shutdown(): Promise<void> {
    this.#file?.stop();
    return Promise.resolve();
  }

  /** A scheme says how to use `Authorization`, and nothing of another header. */
  get challenge(): string | undefined {
    const { scheme } = this.#config;
    return scheme === "" || this.#headerName !== "authorization" ? undefined : scheme;
  }

  authenticate(headers: RequestHeaders): Promise<ReadonlyMap<string, string>> {
    const given = headers.get(this.#headerName)?.[0] ?? "";
    if (given === "") {
      this.#count("missing");
      const message = `missing or empty authorization header: ${this.#config.header}`;
      return Promise.reject(new AuthenticationError(message));
    }
    const token = this.#withoutScheme(given);
    if (token === undefined || !this.#isKnown(token)) {
      this.#count("wrong");
      return Promise.reject(new AuthenticationError("scheme or token does not match"));
    }
    this.#count("accepted");
    return Promise.resolve(nothingKnown);
  }

  authorizationHeaders(): ReadonlyMap<string, string> {
    return this.#ownHeaders;
  }

  /** Schemes are the same in upper and lower case (RFC 9110, section 11.1). */
  #withoutScheme(value: string): string | undefined {
    const { scheme } = this.#config;
    if (scheme === "") return value;
    const start = value.slice(0, scheme.length + 1).toLowerCase();
    return start === `${scheme.toLowerCase()} ` ? value.slice(scheme.length + 1).trim() : undefined;
  }

  /** Takes as long for the first token as for the last and for none. */
  #isKnown(token: string): boolean {
    const digest = digestOf(token);
    let isKnown = false;
    for (const known of this.#digests) isKnown = timingSafeEqual(known, digest) || isKnown;
    return isKnown;
  }

  #use(tokens: readonly string[]): void {
    const { scheme } = this.#config;
    const [first = ""] = tokens;
    this.#digests = tokens.map(digestOf);
    this.#ownHeaders = new Map([[this.#headerName, scheme === "" ? first : `${scheme} ${first}`]]);
  }
}

// Equal lengths, so that the time of a comparison says nothing of a token's own.
function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
