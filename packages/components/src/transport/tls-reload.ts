import {
  type ServerTlsConfig,
  type TlsConfig,
  type TlsMaterial,
  tlsFingerprint,
  tlsReloadIntervalMs,
} from "@inode-gateway/config";
import type { ComponentSettings, Timer } from "@inode-gateway/contract";
import { tlsCertificateExpiry, tlsReloads } from "./tls-metrics.js";

/** A `tls` section and what becomes of its files. */
export interface TlsReloadOptions<Material extends TlsMaterial> {
  readonly config: TlsConfig & Pick<ServerTlsConfig, "client_ca_file" | "client_ca_file_reload">;
  /** Keys below the component, such as `protocols::grpc::tls`; for logs and metrics. */
  readonly section: string;
  readonly read: () => Promise<Material>;
  /** Uses new material for what connects from now on. Rejecting it by throwing keeps the old. */
  readonly apply: (material: Material) => void;
}

/**
 * Keeps the TLS material of one listener or client as new as its files.
 *
 * A state of the files that cannot be used is logged and counted once; the last good material goes on
 * until the files change again.
 */
export class TlsReload<Material extends TlsMaterial> {
  readonly #settings: ComponentSettings;
  readonly #options: TlsReloadOptions<Material>;
  readonly #labels: Readonly<Record<"component_kind" | "component" | "section", string>>;
  #fingerprint = "";
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(settings: ComponentSettings, options: TlsReloadOptions<Material>) {
    this.#settings = settings;
    this.#options = options;
    const { id, kind } = settings;
    this.#labels = { component_kind: kind, component: id, section: options.section };
  }

  /**
   * Reads the files for the first time; `follow` begins to look for changes since.
   *
   * @throws Error naming the key and the file that cannot be used
   */
  async read(): Promise<Material> {
    const { config, read } = this.#options;
    // Before the files are read: a change in between is then seen as one later.
    if (tlsReloadIntervalMs(config) !== undefined) this.#fingerprint = await tlsFingerprint(config);
    const material = await read();
    this.#noteExpiry(material);
    return material;
  }

  /** Looks at the files at the interval of the section, if it has one, until `stop`. */
  follow(): void {
    const intervalMs = tlsReloadIntervalMs(this.#options.config);
    if (intervalMs === undefined || this.#isStopped) return;
    this.#timer = this.#settings.clock.setTimer(intervalMs, () => {
      this.#settings.runInBackground("reload of TLS files", this.#look());
    });
  }

  /** No material is applied after this. Safe twice. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const fingerprint = await tlsFingerprint(this.#options.config);
    if (fingerprint !== this.#fingerprint && !this.#isStopped) {
      this.#fingerprint = fingerprint;
      await this.#reload();
    }
    this.follow();
  }

  async #reload(): Promise<void> {
    const { apply, read, section } = this.#options;
    const { logger } = this.#settings;
    try {
      const material = await read();
      if (this.#isStopped) return;
      apply(material);
      this.#noteExpiry(material);
      this.#count("success");
      logger.info("Changed TLS files are in use for new connections", { section });
    } catch (error) {
      this.#count("failure");
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("Changed TLS files cannot be used, those before them go on", {
        section,
        reason,
      });
    }
  }

  #noteExpiry({ expiresAtUnixMs }: TlsMaterial): void {
    if (expiresAtUnixMs === undefined) return;
    this.#settings.meter.gauge(tlsCertificateExpiry, this.#labels).set(expiresAtUnixMs / 1_000);
  }

  #count(outcome: "success" | "failure"): void {
    this.#settings.meter.counter(tlsReloads, { ...this.#labels, outcome }).add(1);
  }
}
