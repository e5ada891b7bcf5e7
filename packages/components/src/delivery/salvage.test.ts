import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import type { PartialSuccess } from "@inode-gateway/otlp";
import { createTestBatch, createTestOrigin } from "@inode-gateway/testkit";
import { isAnythingTaken, worstError } from "./outcome.js";
import { Salvage } from "./salvage.js";

const never = Number.POSITIVE_INFINITY;
const rejected = new PermanentError("BACKEND_REJECTED", "no");
const tooLarge = new PermanentError("BATCH_TOO_LARGE", "too large");
const away = new RetryableError("BACKEND_UNAVAILABLE", "away");

type Verdict = (batch: Batch) => unknown;

/** A salvage above a destination that judges every batch by `verdict`: an error, a partial or nothing. */
function scenario(verdict: Verdict, isSenderWaiting = true) {
  const sent: Batch[] = [];
  const deliver = async (batch: Batch) => {
    sent.push(batch);
    const answer = verdict(batch);
    if (answer instanceof Error) throw answer;
    return answer as PartialSuccess | undefined;
  };
  const salvage = new Salvage({ deliver }, isSenderWaiting);
  return { salvage: { deliver: (batch: Batch, ms: number) => told(salvage, batch, ms) }, sent };
}

/** The outcome as whoever waits for the whole batch is told. */
async function told(salvage: Salvage, batch: Batch, deadlineMs: number) {
  const outcome = await salvage.deliver(batch, deadlineMs);
  if (!isAnythingTaken(outcome)) throw worstError(outcome.refused);
  const refused = outcome.refused.map(({ error, items }) => ({ error, items }));
  return { ...outcome, refused };
}

function merge(...parts: readonly Batch[]): Batch {
  return new Batch({
    signal: "traces",
    chunks: parts.flatMap(({ chunks }) => chunks),
    origin: createTestOrigin(),
    mergedFrom: parts,
  });
}

suite("a merged batch that is refused for good", () => {
  const parts = [2, 3, 4].map((itemCount) => createTestBatch({ itemCount }));
  const [, guilty] = parts;

  test("is sent in its parts, and only the guilty one is lost", async () => {
    const { salvage, sent } = scenario((batch) =>
      batch === guilty || batch.mergedFrom.length > 0 ? rejected : undefined,
    );
    const outcome = await salvage.deliver(merge(...parts), never);
    assert.equal(outcome.deliveredItems, 6);
    assert.deepEqual(outcome.refused, [{ items: 3, error: rejected }]);
    assert.deepEqual(sent.slice(1), parts);
  });

  test("is refused as a whole when no part is taken", async () => {
    const { salvage, sent } = scenario(() => rejected);
    await assert.rejects(salvage.deliver(merge(...parts), never), rejected);
    assert.equal(sent.length, 4);
  });

  test("loses a part that stays undeliverable, since its sender was acknowledged; others count", async () => {
    const { salvage, sent } = scenario((batch) => {
      if (batch.mergedFrom.length > 0) return rejected;
      return batch === guilty ? away : undefined;
    });
    const outcome = await salvage.deliver(merge(...parts), never);
    assert.equal(outcome.deliveredItems, 6);
    assert.deepEqual(outcome.refused, [{ items: 3, error: away }]);
    assert.equal(sent.length, 4, "the others were tried all the same");
  });

  test("may be sent again when no part is taken and one of them may be", async () => {
    const { salvage } = scenario((batch) => (batch === guilty ? away : rejected));
    await assert.rejects(salvage.deliver(merge(...parts), never), away);
  });

  test("stays whole when the verdict is not about the data", async () => {
    for (const grpcCode of [16, 7, 12, 5]) {
      const backendStatus = { grpcCode, message: "no" };
      const error = new PermanentError("BACKEND_REJECTED", "no", { backendStatus });
      const { salvage, sent } = scenario(() => error);
      await assert.rejects(salvage.deliver(merge(...parts), never), error);
      assert.equal(sent.length, 1);
    }
  });

  test("is halved below its parts when one of them is too large", async () => {
    const { salvage } = scenario((batch) => (batch.itemCount > 2 ? tooLarge : undefined));
    const outcome = await salvage.deliver(merge(...parts), never);
    assert.equal(outcome.deliveredItems, 9);
    assert.equal(outcome.refused.length, 0);
  });
});

suite("a batch that is too large", () => {
  test("is halved until its parts are taken, in order and with all items", async () => {
    const { salvage, sent } = scenario((batch) => (batch.itemCount > 3 ? tooLarge : undefined));
    const outcome = await salvage.deliver(createTestBatch({ itemCount: 10 }), never);
    assert.equal(outcome.deliveredItems, 10);
    const taken = sent.filter(({ itemCount }) => itemCount <= 3);
    assert.equal(
      taken.reduce((sum, { itemCount }) => sum + itemCount, 0),
      10,
    );
  });

  test("is to be sent again as a whole when one half may be and its sender waits", async () => {
    const verdict: Verdict = (batch) => {
      if (batch.itemCount > 5) return tooLarge;
      return Buffer.from(batch.bytes).includes("span-7") ? away : undefined;
    };
    const whole = createTestBatch({ itemCount: 10 });
    await assert.rejects(scenario(verdict).salvage.deliver(whole, never), away);
    const outcome = await scenario(verdict, false).salvage.deliver(whole, never);
    assert.equal(outcome.deliveredItems, 5, "nobody will send it again: one half is lost");
    assert.deepEqual(outcome.refused, [{ items: 5, error: away }]);
  });

  test("loses the one item that is too large alone", async () => {
    const whole = createTestBatch({ itemCount: 8 });
    const { salvage } = scenario((batch) =>
      Buffer.from(batch.bytes).includes("span-5") ? tooLarge : undefined,
    );
    const outcome = await salvage.deliver(whole, never);
    assert.equal(outcome.deliveredItems, 7);
    assert.deepEqual(outcome.refused, [{ items: 1, error: tooLarge }]);
  });

  test("is refused when it is one item", async () => {
    const { salvage, sent } = scenario(() => tooLarge);
    await assert.rejects(salvage.deliver(createTestBatch(), never), tooLarge);
    assert.equal(sent.length, 1);
  });
});

suite("other outcomes", () => {
  test("a rejection for another reason is not taken apart", async () => {
    const { salvage, sent } = scenario(() => rejected);
    await assert.rejects(salvage.deliver(createTestBatch({ itemCount: 10 }), never), rejected);
    assert.equal(sent.length, 1);
  });

  test("partial successes of parts add up, never beyond the items there are", async () => {
    const { salvage } = scenario((batch) =>
      batch.itemCount > 5 ? tooLarge : { rejectedItems: 2, errorMessage: "old" },
    );
    const outcome = await salvage.deliver(createTestBatch({ itemCount: 10 }), never);
    assert.deepEqual(outcome.partial, { rejectedItems: 4, errorMessage: "old" });
    assert.equal(outcome.deliveredItems, 6);
    const liar = scenario(() => ({ rejectedItems: 99, errorMessage: "" }));
    const capped = await liar.salvage.deliver(createTestBatch({ itemCount: 3 }), never);
    assert.equal(capped.partial?.rejectedItems, 3);
    assert.equal(capped.deliveredItems, 0);
  });

  test("a bug passes through untouched", async () => {
    const bug = new TypeError("bug");
    const { salvage } = scenario(() => bug);
    await assert.rejects(salvage.deliver(createTestBatch(), never), bug);
  });
});
