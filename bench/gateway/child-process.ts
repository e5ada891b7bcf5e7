import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A helper process of the bench that answers each message with one message. */
export class AnsweringProcess<Request extends object, Reply> {
  readonly #child: ChildProcess;

  /** @param script file name beside this one, such as `sink-process.js` */
  constructor(script: string) {
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The message that the process sends next. */
  nextMessage(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error("a process of the bench ended before it answered"));
      this.#child.once("exit", onExit);
      this.#child.once("message", (reply) => {
        this.#child.off("exit", onExit);
        resolve(reply as Reply);
      });
    });
  }

  ask(request: Request): Promise<Reply> {
    const reply = this.nextMessage();
    this.#child.send(request);
    return reply;
  }

  stop(): void {
    this.#child.kill();
  }
}
