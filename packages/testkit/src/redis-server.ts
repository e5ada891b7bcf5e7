import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "./wait-until.js";

/** How a Redis for a test is started. */
export interface RedisServerOptions {
  /** Password of the default user; none when left out. */
  readonly password?: string;
  /** Listens with TLS only, with a certificate for `localhost` and 127.0.0.1 made for this server. */
  readonly tls?: boolean;
  /** Further arguments, such as `["--maxmemory", "1mb"]`. */
  readonly arguments?: readonly string[];
}

/** A real redis-server of a test's own, on a port of its own, that keeps nothing on disk. */
export interface RedisServer {
  /** `redis://127.0.0.1:<port>` or `rediss://localhost:<port>`; the password is not in it. */
  readonly endpoint: string;
  readonly port: number;
  /** `unix://<path>`, the same server without TCP. */
  readonly unixEndpoint: string;
  /** Certificate of the authority, PEM, with `tls`. */
  readonly ca: string | undefined;
  readonly pid: number;
  /** Ends the process at once, as a crash would; everything it held is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Stops the process without ending it: connections stay open, nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the process and removes its folder. Safe twice. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const startTimeoutMs = 10_000;

/**
 * Starts `redis-server` from the PATH and waits until it accepts connections.
 *
 * @throws Error that says what to install when there is no redis-server
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  try {
    const port = await freePort();
    const ca = options.tls === true ? makeCertificates(folder) : undefined;
    const server = new RunningRedis(folder, port, ca, commandLine(folder, port, options));
    await server.restart();
    return server;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

class RunningRedis implements RedisServer {
  readonly endpoint: string;
  readonly unixEndpoint: string;
  readonly port: number;
  readonly ca: string | undefined;
  readonly #folder: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess | undefined;

  constructor(folder: string, port: number, ca: string | undefined, args: readonly string[]) {
    this.#folder = folder;
    this.#arguments = args;
    this.port = port;
    this.ca = ca;
    this.endpoint = ca === undefined ? `redis://127.0.0.1:${port}` : `rediss://localhost:${port}`;
    this.unixEndpoint = `unix://${join(folder, "redis.sock")}`;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("redis-server is not running");
    return pid;
  }

  async restart(): Promise<void> {
    await this.kill();
    const process = spawn("redis-server", this.#arguments, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = process;
    // A test that fails half-way must not leave a server behind.
    const killAtExit = () => process.kill("SIGKILL");
    globalThis.process.once("exit", killAtExit);
    process.once("exit", () => globalThis.process.off("exit", killAtExit));
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_096);
    };
    process.stdout?.on("data", keep);
    process.stderr?.on("data", keep);
    let failure: Error | undefined;
    process.once("error", (error) => {
      failure = new Error(
        `redis-server could not be started (${error.message}); install it, such as by ` +
          "`apt-get install redis-server`",
      );
    });
    const hasEnded = () => failure !== undefined || process.exitCode !== null;
    await waitUntil(async () => hasEnded() || (await accepts(this.port)), {
      limitMs: startTimeoutMs,
      description: `redis-server on port ${this.port} accepts connections`,
    });
    if (failure !== undefined) throw failure;
    if (process.exitCode !== null) {
      throw new Error(`redis-server ended with exit code ${process.exitCode}: ${output}`);
    }
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined || process.exitCode !== null || process.pid === undefined) return;
    const ended = once(process, "exit");
    process.kill("SIGKILL");
    await ended;
  }

  async pause(): Promise<void> {
    const { pid } = this;
    this.#process?.kill("SIGSTOP");
    // The signal is sent, not yet obeyed: what runs on another CPU may still answer a command.
    const isStopped = () => /\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    await waitUntil(isStopped, { description: "redis-server is stopped" });
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function commandLine(folder: string, port: number, options: RedisServerOptions): string[] {
  const tls = options.tls === true;
  const own = ["--bind", "127.0.0.1", "--port", tls ? "0" : `${port}`, "--dir", folder];
  own.push("--unixsocket", join(folder, "redis.sock"), "--save", "", "--appendonly", "no");
  if (tls) {
    own.push("--tls-port", `${port}`, "--tls-auth-clients", "no");
    own.push("--tls-cert-file", join(folder, "server.crt"));
    own.push("--tls-key-file", join(folder, "server.key"));
    own.push("--tls-ca-cert-file", join(folder, "ca.crt"));
  }
  if (options.password !== undefined) own.push("--requirepass", options.password);
  return [...own, ...(options.arguments ?? [])];
}

/** Makes an authority and a server certificate in `folder`; returns the authority's, as PEM. */
function makeCertificates(folder: string): string {
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const days = ["-days", "2"];
  openssl(
    "req",
    "-x509",
    ...key,
    ...days,
    "-subj",
    "/CN=test authority",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
  );
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  openssl(
    "req",
    ...key,
    "-subj",
    "/CN=localhost",
    ...names,
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
  );
  const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
  openssl(
    "x509",
    "-req",
    ...signer,
    ...days,
    "-copy_extensions",
    "copy",
    "-in",
    "server.csr",
    "-out",
    "server.crt",
  );
  return openssl("x509", "-in", "ca.crt").toString();
}

/** A port nobody listens on right now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port was found");
  return address.port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
