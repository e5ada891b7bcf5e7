import { writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getHeapSnapshot } from "node:v8";
import type { ComponentSettings, Extension, Timer } from "@inode-gateway/contract";
import { isLoopbackAddress } from "../../transport/loopback.js";
import { PageServer } from "../../transport/page-server.js";
import type { PprofConfig } from "./config.js";
import { profileRequests } from "./metrics.js";
import { parseProfileRequest, profilePaths } from "./profile-request.js";
import {
  LONG_SAMPLE_MICROSECONDS,
  type RunningProfile,
  SAMPLE_MICROSECONDS,
  startCpuProfile,
  startHeapProfile,
} from "./profiler.js";

/** A snapshot stops the process for about a second per 100 MB of heap, so it is refused above this. */
export const SNAPSHOT_HEAP_BYTES_MAX = 512 * 1024 * 1024;

/** A profile that comes out larger is not sent. */
const PROFILE_BYTES_MAX = 64 * 1024 * 1024;

/** How long whoever asked may take to read a profile; then the connection is closed. */
const SEND_MS_MAX = 60_000;

/** The profile of `save_to_file` ends after this, so that its memory is bounded: about 6 MB of samples. */
const SAVED_PROFILE_MS_MAX = 3_600_000;

const TEXT = "text/plain; charset=utf-8";
const BUSY = "another profile is under way; try again when it is over";

/** Serves profiles of this process, one at a time. */
export class Pprof implements Extension {
  readonly #settings: ComponentSettings;
  readonly #config: PprofConfig;
  readonly #server: PageServer;
  readonly #waits = new Set<() => void>();
  #isBusy = false;
  #saved: RunningProfile | undefined;
  #savedTimer: Timer | undefined;
  #saving: Promise<void> | undefined;

  constructor(settings: ComponentSettings, config: PprofConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#server = new PageServer(settings, {
      endpoint: config.endpoint,
      handle: (request, response) => this.#handle(request, response),
    });
  }

  /** `host:port` as bound; undefined before `start`. */
  get address(): string | undefined {
    return this.#server.address;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async start(): Promise<void> {
    await this.#server.start();
    const { clock, logger } = this.#settings;
    const { save_to_file } = this.#config;
    logger.info("serving profiles", { endpoint: this.address, path: "/debug/pprof/" });
    if (save_to_file === "") return;
    this.#saved = await startCpuProfile(LONG_SAMPLE_MICROSECONDS);
    this.#savedTimer = clock.setTimer(SAVED_PROFILE_MS_MAX, () => {
      this.#settings.runInBackground("save the CPU profile", this.#save());
    });
  }

  async shutdown(deadlineMs: number): Promise<void> {
    for (const end of this.#waits) end();
    await this.#save();
    await this.#server.shutdown(deadlineMs);
  }

  /** Ends the profile of `save_to_file` and writes it, once. */
  #save(): Promise<void> {
    this.#saving ??= this.#writeSaved();
    return this.#saving;
  }

  async #writeSaved(): Promise<void> {
    this.#savedTimer?.cancel();
    const { save_to_file: path } = this.#config;
    if (this.#saved === undefined) return;
    const { logger } = this.#settings;
    try {
      // A profile shows the program's inside: for its owner only.
      await writeFile(path, await this.#saved.end(), { mode: 0o600 });
      logger.info("the CPU profile is written", { path });
    } catch (error) {
      logger.warn("the CPU profile cannot be written", { path, error });
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const asked = parseProfileRequest(request.method ?? "", request.url ?? "/");
    if (asked.kind === "refused") {
      if (asked.status === 405) response.setHeader("allow", "GET");
      this.#sendText(response, asked.status, asked.text);
    } else if (request.headers.origin !== undefined) {
      this.#sendText(response, 403, "not for web pages");
    } else if (asked.kind === "index") {
      this.#sendText(response, 200, Object.keys(profilePaths).join("\n"));
    } else if (this.#isBusy) {
      response.setHeader("retry-after", "10");
      this.#sendText(response, 503, BUSY);
    } else {
      this.#isBusy = true;
      const answered =
        asked.kind === "snapshot"
          ? this.#sendSnapshot(request, response)
          : this.#sendProfile(asked.kind, asked.seconds, response);
      const finished = answered
        .catch((error: unknown) => this.#fail(response, error))
        .finally(() => {
          this.#isBusy = false;
        });
      this.#settings.runInBackground("answer with a profile", finished);
    }
  }

  async #sendProfile(
    kind: "cpu" | "heap",
    seconds: number,
    response: ServerResponse,
  ): Promise<void> {
    const running = await (kind === "cpu"
      ? startCpuProfile(SAMPLE_MICROSECONDS)
      : startHeapProfile());
    await this.#wait(seconds * 1_000, response);
    if (response.destroyed) {
      running.abandon();
      return;
    }
    const body = await running.end();
    const bytes = Buffer.byteLength(body);
    if (bytes > PROFILE_BYTES_MAX) {
      const text = `the profile is ${bytes} bytes, the limit is ${PROFILE_BYTES_MAX}: take a shorter one`;
      this.#sendText(response, 500, text);
      return;
    }
    this.#head(response, 200, "application/json", `gateway.${kind}profile`);
    await this.#deliver(Readable.from([body]), response);
  }

  /** Until the time is over, nobody waits for the answer any more, or the extension stops. */
  #wait(durationMs: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        response.off("close", end);
        this.#waits.delete(end);
        resolve();
      };
      const timer = this.#settings.clock.setTimer(durationMs, end);
      response.once("close", end);
      this.#waits.add(end);
    });
  }

  /** A snapshot holds everything that is in memory, telemetry and secrets too: for this machine only. */
  async #sendSnapshot(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLoopbackAddress(request.socket.remoteAddress ?? "")) {
      this.#sendText(response, 403, "a heap snapshot is served to this machine only");
      return;
    }
    const { heapUsed } = process.memoryUsage();
    if (heapUsed > SNAPSHOT_HEAP_BYTES_MAX) {
      const text = `the heap is ${heapUsed} bytes, the limit for a snapshot is ${SNAPSHOT_HEAP_BYTES_MAX}`;
      this.#sendText(response, 500, text);
      return;
    }
    this.#head(response, 200, "application/json", "gateway.heapsnapshot");
    await this.#deliver(getHeapSnapshot(), response);
  }

  async #deliver(source: Readable, response: ServerResponse): Promise<void> {
    const timer = this.#settings.clock.setTimer(SEND_MS_MAX, () => response.destroy());
    await pipeline(source, response).finally(() => timer.cancel());
  }

  #fail(response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    this.#settings.logger.warn("a profile cannot be taken", { error });
    this.#sendText(response, 500, error instanceof Error ? error.message : String(error));
  }

  #sendText(response: ServerResponse, status: number, text: string): void {
    this.#head(response, status, TEXT);
    response.end(`${text}\n`);
  }

  #head(response: ServerResponse, status: number, type: string, file?: string): void {
    const { id: extension, meter } = this.#settings;
    meter.counter(profileRequests, { extension, status: String(status) }).add(1);
    response.writeHead(status, {
      "content-type": type,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...(file !== undefined && { "content-disposition": `attachment; filename="${file}"` }),
    });
  }
}
