import { Worker } from "node:worker_threads";
import type { Clock } from "@inode-gateway/contract";
import type { WriteGroup } from "./data-file.js";
import type { WriterAnswer, WriterData, WriterRequest } from "./writer-messages.js";

/** How long opening the file may take; it was read just before. */
const OPEN_MS_MAX = 30_000;

/** What the thread says of one group. */
export type WrittenAnswer = Extract<WriterAnswer, { readonly kind: "written" }>;

/** Who is told what the thread says. */
export interface WritingThreadListener {
  written(answer: WrittenAnswer): void;
  /** The thread is gone, told or not. */
  ended(reason: string): void;
}

/** The thread that writes the data file, seen from the thread that asks it to. */
export class WritingThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly pageBytes: number;
  #isTold = false;

  private constructor(worker: Worker, pageBytes: number) {
    this.#worker = worker;
    this.pageBytes = pageBytes;
    this.#ended = new Promise((resolve) => worker.once("exit", () => resolve()));
  }

  /** @throws Error when the file cannot be opened */
  static async open(data: WriterData, clock: Clock): Promise<WritingThread> {
    const worker = new Worker(new URL("./writer-thread.js", import.meta.url), {
      workerData: data,
      execArgv: [],
    });
    const answer = await new Promise<WriterAnswer>((resolve, reject) => {
      const timer = clock.setTimer(OPEN_MS_MAX, () => {
        void worker.terminate();
        reject(new Error(`${data.path} could not be opened within ${OPEN_MS_MAX} ms`));
      });
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => {
        timer.cancel();
        reject(new Error(`the thread that opens ${data.path} ended`));
      });
      worker.once("message", () => timer.cancel());
    });
    if (answer.kind === "opened") return new WritingThread(worker, answer.pageBytes);
    const reason = answer.kind === "failed" ? answer.reason : answer.kind;
    throw new Error(`${data.path} cannot be opened: ${reason}`);
  }

  listen(listener: WritingThreadListener): void {
    let reason = "the writing thread ended";
    this.#worker.on("message", (answer: WriterAnswer) => {
      if (answer.kind === "written") listener.written(answer);
    });
    this.#worker.once("error", (error) => {
      reason = error.message;
    });
    this.#worker.once("exit", () => listener.ended(reason));
  }

  /** One group at a time. The values are gone from here afterwards. */
  write(group: WriteGroup): void {
    const transferred = group.values.map(({ buffer }) => buffer as ArrayBuffer);
    this.#tell(group, transferred);
  }

  /** Closes the file after what is under way; resolves when the thread is gone. Safe twice. */
  async close(): Promise<void> {
    if (!this.#isTold) this.#tell("close");
    this.#isTold = true;
    await this.#ended;
  }

  #tell(request: WriterRequest, transferred: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transferred);
  }
}
