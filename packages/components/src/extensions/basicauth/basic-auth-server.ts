import { type ComponentSettings, RetryableError } from "@inode-gateway/contract";
import {
  AuthenticationError,
  type RequestHeaders,
  type ServerAuthenticator,
} from "../../capabilities/authenticator.js";
import {
  type AuthenticationOutcome,
  authenticationCounts,
} from "../../credentials/authentication-counts.js";
import { CredentialFile } from "../../credentials/credential-file.js";
import { parseBasicHeader } from "./basic-header.js";
import type { HtpasswdConfig } from "./config.js";
import { parseHtpasswd } from "./htpasswd.js";
import { PasswordCheck } from "./password-check.js";
import { isSlow, type StoredPassword } from "./stored-password.js";

/** Whose turn it is when names are checked that nobody has; no user is called so. */
const NOBODY = "";

/** RFC 7617, section 2; the one space of names that a gateway has. */
const CHALLENGE = 'Basic realm="inode-gateway", charset="UTF-8"';

/** Lets in who shows a name and its password. */
export class BasicAuthServer implements ServerAuthenticator {
  readonly challenge = CHALLENGE;
  readonly #check: PasswordCheck;
  readonly #count: (outcome: AuthenticationOutcome) => void;
  readonly #file: CredentialFile | undefined;
  readonly #inline: string;
  #hasFileUsers = false;
  #users: ReadonlyMap<string, StoredPassword> = new Map();
  /** What unknown names are checked against, so that an answer's time does not tell who is known. */
  #decoy: StoredPassword | undefined;

  constructor(settings: ComponentSettings, { file = "", inline = "" }: HtpasswdConfig) {
    this.#check = new PasswordCheck(settings.clock);
    this.#count = authenticationCounts(settings);
    this.#inline = inline;
    if (file === "") return;
    this.#file = new CredentialFile(settings, {
      key: "htpasswd::file",
      path: file,
      apply: (text) => this.#useFile(parseHtpasswd(text)),
    });
  }

  async start(): Promise<void> {
    this.#use(new Map());
    await this.#file?.start();
  }

  async shutdown(): Promise<void> {
    this.#file?.stop();
    await this.#check.stop();
  }

  async authenticate(headers: RequestHeaders): Promise<ReadonlyMap<string, string>> {
    const value = headers.get("authorization")?.[0] ?? "";
    if (value === "") {
      this.#count("missing");
      throw new AuthenticationError("no basic auth provided");
    }
    try {
      const { password, raw, username } = parseBasicHeader(value);
      await this.#refuseWrong(username, password);
      this.#count("accepted");
      return new Map([
        ["username", username],
        ["raw", raw],
      ]);
    } catch (error) {
      this.#count(error instanceof RetryableError ? "busy" : "wrong");
      throw error;
    }
  }

  async #refuseWrong(username: string, password: string): Promise<void> {
    const stored = this.#users.get(username);
    if (stored !== undefined) {
      if (await this.#check.isRight(username, password, stored)) return;
    } else if (this.#decoy !== undefined) {
      await this.#check.isRight(username, password, this.#decoy, NOBODY);
    }
    throw new AuthenticationError("invalid credentials");
  }

  #useFile(users: ReadonlyMap<string, StoredPassword>): void {
    // Whoever writes a file in place empties it first: that must not turn every sender away.
    if (users.size === 0 && this.#hasFileUsers) throw new Error("it names no user");
    this.#hasFileUsers = users.size > 0;
    this.#use(users);
  }

  #use(fromFile: ReadonlyMap<string, StoredPassword>): void {
    this.#users = new Map([...fromFile, ...parseHtpasswd(this.#inline)]);
    this.#decoy = [...this.#users.values()].find(isSlow);
  }
}
