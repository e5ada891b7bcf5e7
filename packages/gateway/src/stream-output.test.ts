import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { suite, test } from "node:test";
import { OutputClosedError } from "./process-environment.js";
import { messageOutput, resultOutput, waitingMessageBytesMax } from "./stream-output.js";

/** A stream whose reader takes a piece only when told so. */
class SlowStream extends Writable {
  readonly taken: string[] = [];
  #take: ((error?: Error) => void) | undefined;

  override _write(piece: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#take = (error) => {
      if (error === undefined) this.taken.push(piece.toString());
      done(error);
    };
  }

  take(error?: Error): void {
    this.#take?.(error);
  }
}

const failure = (code: string) => Object.assign(new Error(`write ${code}`), { code });
const settled = () => new Promise((resolve) => setImmediate(resolve));

suite("stream output", () => {
  test("a result is written when the reader has taken it, not before", async () => {
    const stream = new SlowStream();
    let isWritten = false;
    const writing = resultOutput(stream)
      .write("piece")
      .then(() => {
        isWritten = true;
      });
    await settled();
    assert.equal(isWritten, false);
    stream.take();
    await writing;
    assert.deepEqual(stream.taken, ["piece"]);
  });

  test("a reader that left is told apart from an output that fails", async () => {
    const left = new SlowStream();
    const output = resultOutput(left);
    const first = output.write("one");
    left.take(failure("EPIPE"));
    await assert.rejects(first, OutputClosedError);
    await assert.rejects(output.write("two"), OutputClosedError, "and stays gone");

    const full = new SlowStream();
    const writing = resultOutput(full).write("one");
    full.take(failure("ENOSPC"));
    await assert.rejects(writing, (error: Error) => {
      assert.ok(!(error instanceof OutputClosedError));
      assert.equal(error.message, "standard output cannot be written: write ENOSPC");
      return true;
    });
  });

  test("messages for a reader that stalls are kept up to the limit, further ones are lost", () => {
    const stream = new SlowStream();
    const output = messageOutput(stream, true);
    assert.equal(output.isTerminal, true);
    output.write("x".repeat(waitingMessageBytesMax - 1));
    output.write("the last one that is kept\n");
    const length = stream.writableLength;
    output.write("lost\n");
    assert.equal(length, waitingMessageBytesMax - 1 + 26);
    assert.equal(stream.writableLength, length);
    stream.take();
    stream.take();
    output.write("again\n");
    stream.take();
    assert.deepEqual(stream.taken.slice(1), ["the last one that is kept\n", "again\n"]);
  });

  test("a message that cannot be written ends nothing", async () => {
    const stream = new SlowStream();
    const output = messageOutput(stream, false);
    output.write("one");
    stream.take(failure("EPIPE"));
    await settled();
    output.write("two");
    await settled();
    assert.deepEqual(stream.taken, []);
  });
});
