import { createSecureContext } from "node:tls";
import type { ClientTlsMaterial } from "@inode-gateway/config";
import type { ComponentSettings } from "@inode-gateway/contract";
import type { Dispatcher } from "undici";
import type { OtlpHttpConfig } from "./config.js";

type Undici = typeof import("undici");

/** The keys of the configuration that say how connections are made and kept. */
type ConnectionKeys = Pick<
  OtlpHttpConfig,
  "disable_keep_alives" | "idle_conn_timeout" | "max_conns_per_host" | "proxy_url"
>;

/** One request as undici takes it, without where it goes. */
export type DestinationRequest = Omit<Dispatcher.RequestOptions, "origin">;

/**
 * The connections to one destination, directly or through a proxy.
 *
 * New TLS material gets connections of its own; those from before end with the requests on them.
 */
export class HttpDestination {
  readonly #settings: ComponentSettings;
  readonly #config: ConnectionKeys;
  readonly #undici: Undici;
  readonly #origin: string;
  readonly #ending = new Set<Dispatcher>();
  #current: Dispatcher;

  /** @param undici loaded by the caller: only who sends over HTTP should have it in memory */
  constructor(
    settings: ComponentSettings,
    config: ConnectionKeys,
    undici: Undici,
    origin: string,
    tls: ClientTlsMaterial | undefined,
  ) {
    this.#settings = settings;
    this.#config = config;
    this.#undici = undici;
    this.#origin = origin;
    this.#current = this.#connect(tls);
  }

  /** @throws what undici rejects with: no connection, a reset, an aborted signal */
  request(request: DestinationRequest): Promise<Dispatcher.ResponseData> {
    return this.#current.request({ ...request, origin: this.#origin });
  }

  /** Connects with other material from now on. @throws Error when OpenSSL cannot use it */
  replaceTls(tls: ClientTlsMaterial): void {
    createSecureContext(connectOptions(tls));
    const before = this.#current;
    this.#current = this.#connect(tls);
    this.#settings.runInBackground(
      "end of connections with TLS files of before",
      this.#end(before),
    );
  }

  /** Lets running requests end until `deadlineMs`, then cuts them off. */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    const all = [this.#current, ...this.#ending];
    const timer = clock.setTimer(Math.max(0, deadlineMs - clock.nowMs()), () => {
      for (const dispatcher of all) {
        this.#settings.runInBackground("cut off requests", dispatcher.destroy());
      }
    });
    await Promise.all(all.map((dispatcher) => dispatcher.close()));
    timer.cancel();
  }

  async #end(dispatcher: Dispatcher): Promise<void> {
    this.#ending.add(dispatcher);
    await dispatcher.close();
    this.#ending.delete(dispatcher);
  }

  #connect(tls: ClientTlsMaterial | undefined): Dispatcher {
    const { disable_keep_alives, idle_conn_timeout, max_conns_per_host, proxy_url } = this.#config;
    const { Pool, ProxyAgent } = this.#undici;
    const pool = {
      connections: max_conns_per_host === 0 ? null : max_conns_per_host,
      pipelining: disable_keep_alives ? 0 : 1,
      keepAliveTimeout: Math.max(1, idle_conn_timeout),
      keepAliveMaxTimeout: Math.max(1, idle_conn_timeout),
    };
    const connect = tls === undefined ? {} : connectOptions(tls);
    if (proxy_url === undefined || proxy_url === "") {
      return new Pool(this.#origin, { ...pool, ...(tls === undefined ? {} : { connect }) });
    }
    return new ProxyAgent({
      uri: proxy_url,
      requestTls: connect,
      // As Go: a tunnel for https:// only; many proxies let none through to other ports than 443.
      proxyTunnel: tls !== undefined,
      factory: (origin, options) => new Pool(origin, { ...options, ...pool }),
    });
  }
}

function connectOptions(material: ClientTlsMaterial) {
  const { ca, cert, cipherSuites, curves, key, maxVersion, minVersion } = material;
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(cipherSuites !== undefined && { ciphers: cipherSuites }),
    ...(curves !== undefined && { ecdhCurve: curves }),
    ...(material.serverNameOverride !== undefined && { servername: material.serverNameOverride }),
    rejectUnauthorized: material.insecureSkipVerify !== true,
  };
}
