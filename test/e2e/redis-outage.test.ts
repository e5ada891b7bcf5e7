import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { type RedisServer, startRedis, waitUntil } from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import { type PretendedContainer, PretendedNode, reconciled } from "./pretended-node.js";
import { RunningGateway, resolvingParts } from "./running-gateway.js";
import { sendSpans, type TimedAnswer } from "./spans.js";

/** A sender must not notice that Redis is away. */
const answerLimitMs = 1_000;
/** Within this time everything is well again by itself; attempts to connect are at most 5 s apart. */
const recoveryLimitMs = 20_000;

const away =
  "the registry in Redis is away: known containers still resolve, new ones pass unresolved";

async function stoppableRedis(t: TestContext): Promise<RedisServer> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  return redis;
}

function startGateway(t: TestContext, redis: RedisServer, backend: Backend) {
  const resolver = { hold: { timeout: "200ms" } };
  return RunningGateway.start(t, resolvingParts(redis.endpoint, backend.address, resolver));
}

suite("Redis away", () => {
  let sendCount = 0;

  /** Sends a span of a container and gives it back as it arrived. */
  async function sendAndGet(
    gateway: RunningGateway,
    backend: Backend,
    node: PretendedNode,
    { inode }: PretendedContainer,
  ): Promise<Readonly<Record<string, string>>> {
    const sender = `sender-${sendCount++}`;
    const attributes = { "host.boot.id": node.bootId, "container.cgroup.inode": inode };
    const { status, tookMs } = await sendSpans(gateway.http, sender, attributes);
    assert.equal(status, 200);
    assert.ok(tookMs < answerLimitMs, `answered after ${tookMs} ms`);
    await waitUntil(() => backend.itemsFrom(sender, "traces").length > 0);
    return backend.itemsFrom(sender, "traces")[0]?.resource ?? {};
  }

  async function becomesResolved(
    gateway: RunningGateway,
    backend: Backend,
    node: PretendedNode,
    container: PretendedContainer,
  ): Promise<void> {
    await waitUntil(
      async () => {
        const resource = await sendAndGet(gateway, backend, node, container);
        return resource["container.id"] === container.id;
      },
      { limitMs: recoveryLimitMs, description: `${container.id} resolves` },
    );
  }

  // Scenario: gateway and reporter start while nothing listens where Redis should be.
  test("at the start: said once, items pass and are counted; all is well when Redis comes", async (t) => {
    const redis = await stoppableRedis(t);
    await redis.kill();
    const backend = await Backend.start(t);
    const node = new PretendedNode(t);
    const container = node.addContainer();
    node.startReporter(t, redis.endpoint);
    const gateway = await startGateway(t, redis, backend);
    await gateway.process.logged(({ msg }) => msg === away, "that Redis is away");

    for (let count = 0; count < 3; count++) {
      const resource = await sendAndGet(gateway, backend, node, container);
      assert.equal(resource["container.id"], undefined);
      assert.equal(resource["container.cgroup.inode"], String(container.inode), "kept for later");
      assert.equal(resource["host.boot.id"], node.bootId);
    }
    const reason = { reason: "registry_unavailable" };
    assert.equal(await gateway.metric("inode_gateway_resolver_unresolved_items", reason), 3);
    assert.equal(await gateway.metric("inode_gateway_registry_available"), 0);

    await redis.restart();
    await becomesResolved(gateway, backend, node, container);
    assert.equal(await gateway.metric("inode_gateway_registry_available"), 1);
    assert.deepEqual(
      gateway.messages("warn").filter((message) => message === away),
      [away],
      "once, however often it was tried",
    );
    assert.deepEqual(gateway.messages("error"), []);
  });

  // Scenario: Redis is killed under load and comes back empty; a container is made meanwhile.
  test("under load: known containers resolve, new ones pass, nothing blocks, all comes back", async (t) => {
    const redis = await stoppableRedis(t);
    const backend = await Backend.start(t);
    const node = new PretendedNode(t);
    const known = node.addContainer();
    const reporter = node.startReporter(t, redis.endpoint);
    await reconciled(reporter);
    const gateway = await startGateway(t, redis, backend);
    await becomesResolved(gateway, backend, node, known);

    const answers: TimedAnswer[] = [];
    let isOver = false;
    const load = Promise.all(
      ["a", "b", "c", "d"].map(async (worker) => {
        for (let count = 0; !isOver; count++) {
          // Of two Resources one is always the same, the other is never seen before.
          const own = count % 2 === 0 ? {} : { "service.instance.id": `${worker}-${count}` };
          const attributes = { "host.boot.id": node.bootId, "container.cgroup.inode": known.inode };
          const all = { ...attributes, ...own };
          answers.push(await sendSpans(gateway.http, "load", all));
        }
      }),
    );
    const more = (count: number) => {
      const goal = answers.length + count;
      return waitUntil(() => answers.length >= goal, { limitMs: 20_000, description: "load" });
    };
    await more(100);
    await redis.kill();
    await more(200);
    const late = node.addContainer();
    const unresolved = await sendAndGet(gateway, backend, node, late);
    assert.equal(unresolved["container.id"], undefined, "new ones pass unresolved");
    assert.equal(unresolved["container.cgroup.inode"], String(late.inode));
    await redis.restart();
    await becomesResolved(gateway, backend, node, late);
    await more(100);
    isOver = true;
    await load;

    const slowest = Math.max(...answers.map(({ tookMs }) => tookMs));
    t.diagnostic(`${answers.length} requests, the slowest took ${Math.round(slowest)} ms`);
    assert.ok(answers.every(({ status }) => status === 200));
    assert.ok(slowest < answerLimitMs, `${slowest} ms`);
    await waitUntil(() => backend.itemsFrom("load", "traces").length >= answers.length);
    const items = backend.itemsFrom("load", "traces");
    assert.equal(items.length, answers.length);
    assert.ok(
      items.every(({ resource }) => resource["container.id"] === known.id),
      "the cache serves, Resources that were not seen before too",
    );
    assert.deepEqual(gateway.messages("error"), []);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });

  // Scenario: SIGSTOP: connections stay open, nothing is answered.
  test("a Redis that hangs delays who is asking at most by `command_timeout`, then nobody", async (t) => {
    const redis = await stoppableRedis(t);
    const backend = await Backend.start(t);
    const node = new PretendedNode(t);
    const known = node.addContainer();
    await reconciled(node.startReporter(t, redis.endpoint));
    const gateway = await startGateway(t, redis, backend);
    await becomesResolved(gateway, backend, node, known);
    await redis.pause();
    t.after(() => redis.resume());
    const send = (inode: number) =>
      sendSpans(gateway.http, "hanging", {
        "host.boot.id": node.bootId,
        "container.cgroup.inode": inode,
      });
    const asking = await send(known.inode + 1_000_000);
    assert.equal(asking.status, 200);
    assert.ok(asking.tookMs < 2_000, `${asking.tookMs} ms, command_timeout is 1 s`);
    await gateway.process.logged(({ msg }) => msg === away, "that Redis is away");
    for (const inode of [known.inode, known.inode + 2_000_000]) {
      const { status, tookMs } = await send(inode);
      assert.equal(status, 200);
      assert.ok(tookMs < answerLimitMs, `${tookMs} ms`);
    }
    redis.resume();
    await becomesResolved(gateway, backend, node, node.addContainer());
  });
});
