import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isPersistent, sendingQueue, storageReferences } from "./config.js";

const problems = (config: object) =>
  sendingQueue()
    .safeParse(config)
    .error?.issues.map(({ message, path }) => `${path.join("::")}: ${message}`);

suite("sending_queue", () => {
  test("merges nothing and stays in memory unless told; defaults are the Collector's", () => {
    const queue = sendingQueue().parse({});
    assert.equal(queue.batch, undefined);
    assert.equal(isPersistent(queue), false);
    assert.deepEqual(storageReferences(queue), []);
    assert.deepEqual(sendingQueue().parse({ batch: {} }).batch, {
      flush_timeout: 200,
      min_size: 8192,
      max_size: 0,
      partition: { metadata_keys: [] },
    });
  });

  test("refers to its storage unless it is off", () => {
    const queue = sendingQueue().parse({ storage: "file_storage/queues" });
    assert.deepEqual(storageReferences(queue), [
      { extensionId: "file_storage/queues", path: ["sending_queue", "storage"] },
    ]);
    assert.equal(isPersistent(queue), true);
    const off = sendingQueue().parse({ enabled: false, storage: "file_storage" });
    assert.equal(isPersistent(off), false);
    assert.deepEqual(storageReferences(off), []);
  });

  for (const [what, good, bad, problem] of [
    ["flush_timeout", { flush_timeout: "1ms" }, { flush_timeout: "0s" }, /at least 1ms/],
    ["min_size", { min_size: 0 }, { min_size: -1 }, /min_size/],
    [
      "max_size and min_size",
      { min_size: 5, max_size: 5 },
      { min_size: 5, max_size: 4 },
      /^batch::max_size: is 4, must be at least `min_size`, which is 5, or 0$/,
    ],
    ["sizer", { sizer: "bytes" }, { sizer: "requests" }, /sizer/],
    [
      "metadata_keys",
      { partition: { metadata_keys: ["a", "b"] } },
      { partition: { metadata_keys: ["a", "A"] } },
      /^batch::partition::metadata_keys: has a duplicate entry/,
    ],
  ] as const) {
    test(`batch ${what}: the last accepted and the first rejected value`, () => {
      assert.equal(problems({ batch: good }), undefined);
      assert.match(problems({ batch: bad })?.join("\n") ?? "", problem);
    });
  }

  test("min_size may be queue_size and no more, where both have the same unit", () => {
    for (const [sizer, batch] of [
      ["items", {}],
      ["bytes", { sizer: "bytes" }],
      ["bytes", {}],
    ] as const) {
      const queue = { sizer, queue_size: 100 };
      assert.equal(problems({ ...queue, batch: { ...batch, min_size: 100 } }), undefined);
      assert.deepEqual(problems({ ...queue, batch: { ...batch, min_size: 101 } }), [
        `batch::min_size: is 101, must be at most \`queue_size\`, which is 100: both are in ${sizer}`,
      ]);
    }
    const apart = { sizer: "bytes", queue_size: 100, batch: { min_size: 101, sizer: "items" } };
    assert.equal(problems(apart), undefined);
    assert.equal(problems({ queue_size: 100, batch: { min_size: 101 } }), undefined);
  });

  test("nobody waits for the result of a queue on disk", () => {
    const queue = { storage: "file_storage", wait_for_result: true };
    assert.deepEqual(problems(queue), [
      "wait_for_result: `wait_for_result` is not supported with a persistent queue configured with `storage`",
    ]);
    assert.equal(problems({ ...queue, wait_for_result: false }), undefined);
    assert.equal(problems({ ...queue, enabled: false }), undefined);
  });
});
