import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate with its key, as PEM text. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority made for one test run by the `openssl` command. */
export class CertificateAuthority {
  readonly cert: string;
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string, cert: string) {
    this.#folder = folder;
    this.#name = name;
    this.cert = cert;
  }

  static async create(folder: string, name: string): Promise<CertificateAuthority> {
    const path = join(folder, name);
    await run("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-days", "2", "-subj", `/CN=${name}`, "-keyout", `${path}.key`, "-out", `${path}.crt`],
    ]);
    return new CertificateAuthority(folder, name, await readFile(`${path}.crt`, "utf8"));
  }

  /** @param subjectAltName as openssl writes it: `DNS:localhost,IP:127.0.0.1` */
  async issue(name: string, subjectAltName: string): Promise<KeyPair> {
    const path = join(this.#folder, name);
    const authority = join(this.#folder, this.#name);
    await writeFile(`${path}.ext`, `subjectAltName=${subjectAltName}\n`);
    await run("openssl", [
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-subj", `/CN=${name}`, "-keyout", `${path}.key`, "-out", `${path}.csr`],
    ]);
    await run("openssl", [
      ...["x509", "-req", "-in", `${path}.csr`, "-CA", `${authority}.crt`],
      ...["-CAkey", `${authority}.key`, "-CAcreateserial", "-days", "2"],
      ...["-extfile", `${path}.ext`, "-out", `${path}.crt`],
    ]);
    const [cert, key] = await Promise.all([
      readFile(`${path}.crt`, "utf8"),
      readFile(`${path}.key`, "utf8"),
    ]);
    return { cert, key };
  }
}
