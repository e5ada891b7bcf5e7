import type { ComponentSettings } from "@inode-gateway/contract";
import type { ClientAuthenticator } from "../../capabilities/authenticator.js";
import { CredentialFile } from "../../credentials/credential-file.js";
import type { BasicClientConfig } from "./config.js";

/** Shows a name and its password to others. */
export class BasicAuthClient implements ClientAuthenticator {
  readonly #files: readonly CredentialFile[];
  #username: string;
  #password: string;
  #headers: ReadonlyMap<string, string> = new Map();

  constructor(settings: ComponentSettings, config: BasicClientConfig) {
    const { password = "", password_file, username = "", username_file } = config;
    this.#username = username;
    this.#password = password;
    const follow = (key: string, path: string | undefined, use: (value: string) => void) =>
      path === undefined || path === ""
        ? []
        : [
            new CredentialFile(settings, {
              key: `client_auth::${key}`,
              path,
              apply: (text) => {
                use(text.trim());
                this.#update();
              },
            }),
          ];
    this.#files = [
      ...follow("username_file", username_file, (name) => {
        if (name === "" || name.includes(":")) {
          throw new Error(name === "" ? "it is empty" : "a name must not contain a colon");
        }
        this.#username = name;
      }),
      ...follow("password_file", password_file, (secret) => {
        if (secret === "") throw new Error("it is empty");
        this.#password = secret;
      }),
    ];
  }

  async start(): Promise<void> {
    this.#update();
    for (const file of this.#files) await file.start();
  }

  shutdown(): Promise<void> {
    for (const file of this.#files) file.stop();
    return Promise.resolve();
  }

  authorizationHeaders(): ReadonlyMap<string, string> {
    return this.#headers;
  }

  #update(): void {
    const credentials = Buffer.from(`${this.#username}:${this.#password}`).toString("base64");
    this.#headers = new Map([["authorization", `Basic ${credentials}`]]);
  }
}
