import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Batch,
  type Connector,
  type ConnectorOutputs,
  PermanentError,
  RetryableError,
} from "@inode-gateway/contract";
import { CapturingConsumer, createTestBatch, FakeClock } from "@inode-gateway/testkit";
import { ConnectorDeliveries } from "./connector-deliveries.js";
import { PartialDeliveries } from "./partial-deliveries.js";

const full = () => Promise.reject(new RetryableError("QUEUE_FULL", "full"));
const stopped = () => Promise.resolve();

/** A connector that gives all its pipelines what `divide` makes of a batch, each its own. */
function createRig(divide: (batch: Batch, pipeline: string) => Batch = (batch) => batch) {
  const one = new CapturingConsumer();
  const other = new CapturingConsumer();
  const deliveries = new ConnectorDeliveries(new PartialDeliveries(new FakeClock()));
  const outputs = deliveries.outputs(
    new Map([
      ["traces/one", one],
      ["traces/other", other],
    ]),
  );
  const connector = deliveries.remembering(dividing(outputs, divide));
  return { connector, one, other, counts: () => [one.itemCount, other.itemCount] };
}

function dividing(
  outputs: ConnectorOutputs,
  divide: (batch: Batch, pipeline: string) => Batch,
): Connector {
  return {
    start: stopped,
    shutdown: stopped,
    consume: async (batch) => {
      const answers = await Promise.allSettled(
        [...outputs].map(async ([id, output]) => output.consume(divide(batch, id))),
      );
      for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
    },
  };
}

/** The same request each time, as a retry has its bytes. */
function retried(itemCount: number = 2): Batch {
  const batch = createTestBatch({ itemCount });
  return createTestBatch({ itemCount, origin: { request: batch.bytes } });
}

test("a retry goes only to the pipelines that have no part yet, as often as it fails", async () => {
  const { connector, counts, other } = createRig();
  other.respond = full;
  for (let round = 0; round < 3; round++) {
    await assert.rejects(connector.consume(retried()));
    assert.deepEqual(counts(), [2, 0]);
  }
  other.respond = () => undefined;
  await connector.consume(retried());
  assert.deepEqual(counts(), [2, 2]);
  await connector.consume(retried());
  assert.deepEqual(counts(), [4, 4], "a new request of the same bytes goes to all");
});

test("a request that was refused for good is not remembered", async () => {
  const { connector, counts, other } = createRig();
  other.respond = () => Promise.reject(new PermanentError("BACKEND_REJECTED", "no"));
  await assert.rejects(connector.consume(retried()));
  await assert.rejects(connector.consume(retried()));
  assert.deepEqual(counts(), [4, 0]);
});

// Scenario: two parts of one request, of equally many items, come to the connector on two ways; of the
// first one pipeline took its part, of the second the other. Their retries come the other way round.
test("parts of one request that came on different ways are told apart", async () => {
  const { connector, one, other } = createRig();
  const ways = (consumer: CapturingConsumer) => consumer.batches.map(({ way }) => way);
  other.respond = full;
  await assert.rejects(connector.consume(retried().through("traces/a")));
  one.respond = full;
  other.respond = () => undefined;
  await assert.rejects(connector.consume(retried().through("traces/b")));
  one.respond = () => undefined;
  await connector.consume(retried().through("traces/b"));
  await connector.consume(retried().through("traces/a"));
  assert.deepEqual(ways(one), [">traces/a>traces/one", ">traces/b>traces/one"]);
  assert.deepEqual(ways(other), [">traces/b>traces/other", ">traces/a>traces/other"]);
});

// Scenario: at the second try an item belongs to the first pipeline that was the second one's before.
test("a part that is not the one a pipeline has is delivered", async () => {
  let taken = 1;
  const { connector, counts, other } = createRig((batch, pipeline) =>
    batch.withChunks(batch.chunks, pipeline === "traces/one" ? taken : 4 - taken),
  );
  other.respond = full;
  await assert.rejects(connector.consume(retried(4)));
  other.respond = () => undefined;
  taken = 2;
  await connector.consume(retried(4));
  assert.deepEqual(counts(), [3, 2], "repeated rather than lost");
});

test("two batches of one request at the same time are remembered by nobody", async () => {
  const { connector, counts, other } = createRig();
  other.respond = full;
  const request = retried();
  const part = request.withChunks(request.chunks);
  await Promise.allSettled([connector.consume(request), connector.consume(part)]);
  other.respond = () => undefined;
  await connector.consume(retried());
  await connector.consume(retried());
  assert.deepEqual(counts(), [8, 4]);
});

test("a pipeline that has its part is not asked whether it would take it", async () => {
  const { other } = createRig();
  const refusing = Object.assign(new CapturingConsumer(), {
    refusal: () => new RetryableError("QUEUE_FULL", "full"),
  });
  const deliveries = new ConnectorDeliveries(new PartialDeliveries(new FakeClock()));
  const outputs = deliveries.outputs(new Map([["traces/one", refusing]]));
  const asked: unknown[] = [];
  const connector = deliveries.remembering({
    start: stopped,
    shutdown: stopped,
    consume: async (batch) => {
      const output = outputs.get("traces/one");
      asked.push(output?.refusal?.(batch)?.code);
      await output?.consume(batch);
      await other.consume(batch);
    },
  });
  other.respond = full;
  await assert.rejects(connector.consume(retried()));
  await assert.rejects(connector.consume(retried()));
  assert.deepEqual(asked, ["QUEUE_FULL", undefined]);
  assert.equal(refusing.itemCount, 2);
});
