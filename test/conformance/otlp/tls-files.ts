import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CertificateAuthority, type KeyPair } from "../grpc/certificates.js";

/** A folder of certificates that a test changes while something uses them. */
export class TlsFiles {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(t: TestContext): Promise<TlsFiles> {
    const folder = await mkdtemp(join(tmpdir(), "otlp-tls-"));
    t.after(() => rm(folder, { recursive: true }));
    return new TlsFiles(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  authority(name: string): Promise<CertificateAuthority> {
    return CertificateAuthority.create(this.folder, name);
  }

  /** Puts a file in the place of another, whole. */
  async put(name: string, text: string): Promise<string> {
    await writeFile(this.path(`${name}.next`), text);
    await rename(this.path(`${name}.next`), this.path(name));
    return this.path(name);
  }

  /** The key first: whoever looks in between sees a pair that does not match, and looks again. */
  async putPair(name: string, pair: KeyPair) {
    const key_file = await this.put(`${name}-key.pem`, pair.key);
    return { key_file, cert_file: await this.put(`${name}.pem`, pair.cert) };
  }
}
