import assert from "node:assert/strict";
import { test } from "node:test";
import { JoinBuffers, REUSED_BYTES_MAX, WAITING_BUFFERS_MAX } from "./join-buffers.js";

/** Two chunks that are `byteLength` bytes together. */
function chunksOf(byteLength: number): Uint8Array[] {
  return [new Uint8Array(byteLength - 1).fill(1), Uint8Array.of(2)];
}

test("chunks are joined in order, none of them and empty ones too", () => {
  const buffers = new JoinBuffers();
  const chunks = [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)];
  assert.deepEqual([...buffers.join(chunks)], [1, 2, 3]);
  assert.deepEqual([...buffers.join([])], []);
});

test("memory is shared with nobody until it was given back, and used again afterwards", () => {
  const buffers = new JoinBuffers();
  const first = buffers.join(chunksOf(1_000));
  const second = buffers.join(chunksOf(1_000));
  assert.notEqual(first.buffer, second.buffer);
  buffers.giveBack(first);
  const third = buffers.join([Uint8Array.of(7), new Uint8Array(1_099)]);
  assert.equal(third.buffer, first.buffer, "an eighth more still fits");
  assert.equal(third.byteLength, 1_100);
  assert.equal(third[0], 7);
  assert.equal(second[0], 1);
});

test("a buffer that is too small, or far too large, is let go", () => {
  const buffers = new JoinBuffers();
  const small = buffers.join(chunksOf(800));
  assert.equal(small.buffer.byteLength, 900);
  buffers.giveBack(small);
  const larger = buffers.join(chunksOf(901));
  assert.notEqual(larger.buffer, small.buffer);
  assert.equal(buffers.waitingBytes, 0);
  const oneEighth = larger.buffer.byteLength / 8;
  buffers.giveBack(larger);
  const fitting = buffers.join(chunksOf(Math.ceil(oneEighth)));
  assert.equal(fitting.buffer, larger.buffer);
  buffers.giveBack(fitting);
  assert.notEqual(buffers.join(chunksOf(Math.ceil(oneEighth) - 1)).buffer, larger.buffer);
  assert.equal(buffers.waitingBytes, 0);
});

test("what waits is bounded in number and in bytes", () => {
  const buffers = new JoinBuffers();
  const joined = Array.from({ length: WAITING_BUFFERS_MAX + 1 }, () => buffers.join(chunksOf(80)));
  for (const each of joined) buffers.giveBack(each);
  assert.equal(buffers.waitingBytes, WAITING_BUFFERS_MAX * 90);

  const empty = new JoinBuffers();
  empty.giveBack(Buffer.allocUnsafeSlow(REUSED_BYTES_MAX + 1));
  assert.equal(empty.waitingBytes, 0);
  empty.giveBack(Buffer.allocUnsafeSlow(REUSED_BYTES_MAX));
  assert.equal(empty.waitingBytes, REUSED_BYTES_MAX);
});
