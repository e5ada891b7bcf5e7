import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { waitUntil } from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import type { LogLine } from "./executable.js";
import { RunningGateway, temporaryFolder } from "./running-gateway.js";
import { spansOf } from "./spans.js";

const killCount = 10;
const senderCount = 4;
/** Requests delivered before a kill that may come again: what was in flight, or removed but not yet on disk. */
const repeatedPerKillMax = 20;

/** Traces into a queue on disk before one destination, delivered one request after the other. */
function persistentParts(directory: string, endpoint: string) {
  return {
    extensions: { file_storage: { directory, timeout: "10s" } },
    exporters: {
      otlp_grpc: {
        endpoint,
        tls: { insecure: true },
        sending_queue: { storage: "file_storage", num_consumers: 1, queue_size: 100_000 },
        retry_on_failure: { initial_interval: "100ms", max_interval: "1s" },
      },
    },
    pipelines: { traces: { receivers: ["otlp"], exporters: ["otlp_grpc"] } },
  };
}

async function closedPort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

/** What one request was answered; undefined when the connection broke. */
async function send(address: string, sender: string, number: number, items: number) {
  try {
    const response = await fetch(`http://${address}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: spansOf(sender, { "e2e.number": number }, items),
    });
    await response.arrayBuffer();
    return response;
  } catch {
    return undefined;
  }
}

/** The numbers of one sender's requests in the order of their arrival, each once. */
function arrivedFrom(backend: Backend, sender: string): number[] {
  const numbers = backend
    .itemsFrom(sender, "traces")
    .map(({ resource }) => Number(resource["e2e.number"]));
  return [...new Set(numbers)];
}

/** The only line in which a gateway accounts for its items. */
function identity(gateway: RunningGateway): LogLine {
  const lines = gateway.process.log().filter(({ accepted }) => accepted !== undefined);
  assert.equal(lines.length, 1, gateway.process.stderr);
  assert.equal(lines[0]?.msg, "every accepted item is accounted for");
  return lines[0];
}

/** Lets the files of a process grow to this size and no further: writes fail as on a full disk. */
function limitFileSize(pid: number, bytes: number | "unlimited"): void {
  const { status, stderr } = spawnSync("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:`]);
  assert.equal(status, 0, String(stderr));
}

/** Senders that each number their requests and never send one twice. */
class NumberedLoad {
  readonly acknowledged = new Map<string, number[]>();
  #next = 1;

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Sends until the connection breaks. */
  async sendTo(address: string): Promise<void> {
    const senders = Array.from({ length: senderCount }, async (_, index) => {
      const sender = `sender-${index}`;
      const own = this.acknowledged.get(sender) ?? [];
      this.acknowledged.set(sender, own);
      for (;;) {
        const number = this.#next++;
        const answer = await send(address, sender, number, 1);
        if (answer === undefined) return;
        if (answer.status === 200) own.push(number);
      }
    });
    await Promise.all(senders);
  }
}

suite("a queue on disk", () => {
  test("kill -9 ten times under load: every acknowledged item arrives, in order", async (t: TestContext) => {
    const directory = temporaryFolder(t);
    const backend = await Backend.start(t);
    const parts = persistentParts(directory, backend.address);
    const load = new NumberedLoad();
    for (let kill = 0; kill < killCount; kill++) {
      const gateway = await RunningGateway.start(t, parts);
      const before = load.count;
      const sending = load.sendTo(gateway.http);
      await waitUntil(() => load.count > before + 100 + 17 * kill, {
        limitMs: 20_000,
        description: "load",
      });
      await gateway.process.end();
      await sending;
    }
    const last = await RunningGateway.start(t, parts);
    for (const [sender, numbers] of load.acknowledged) {
      const missing = () => {
        const arrived = new Set(arrivedFrom(backend, sender));
        return numbers.filter((number) => !arrived.has(number));
      };
      await waitUntil(() => missing().length === 0, {
        limitMs: 20_000,
        description: `all acknowledged items of ${sender}`,
      });
      const arrived = arrivedFrom(backend, sender);
      assert.deepEqual(
        arrived,
        [...arrived].sort((a, b) => a - b),
        `${sender} in order`,
      );
    }
    assert.equal(await last.process.stop(), 0, last.process.stderr);
    const { delivered, persisted = 0, recovered = 0 } = identity(last);
    assert.equal(Number(delivered) + Number(persisted), Number(recovered));
    const distinct = new Set(backend.items.map(({ resource }) => resource["e2e.number"])).size;
    const repeated = backend.items.length - distinct;
    t.diagnostic(`${load.count} acknowledged, ${distinct} arrived, ${repeated} of them again`);
    assert.ok(repeated <= killCount * repeatedPerKillMax, `${repeated}`);
  });

  test("what a dead destination does not take stays at SIGTERM, and the next process delivers it", async (t) => {
    const directory = temporaryFolder(t);
    const first = await RunningGateway.start(t, persistentParts(directory, await closedPort()));
    for (let number = 1; number <= 20; number++) {
      assert.equal((await send(first.http, "patient", number, 5))?.status, 200);
    }
    assert.equal(await first.process.stop(), 0, first.process.stderr);
    const stopped = identity(first);
    assert.equal(stopped["accepted"], 100);
    assert.equal(stopped["persisted"], 100);
    assert.equal(stopped["delivered"], 0);
    assert.deepEqual(stopped["dropped"], {});

    const backend = await Backend.start(t);
    const second = await RunningGateway.start(t, persistentParts(directory, backend.address));
    await waitUntil(() => backend.itemsFrom("patient", "traces").length >= 100, {
      limitMs: 20_000,
      description: "what the first process left",
    });
    assert.deepEqual(
      arrivedFrom(backend, "patient"),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    assert.equal(await second.process.stop(), 0, second.process.stderr);
    const ended = identity(second);
    assert.equal(ended["recovered"], 100);
    assert.equal(ended["delivered"], 100);
    assert.equal(backend.itemsFrom("patient", "traces").length, 100, "each once");
  });

  test("what waits for a dead destination survives kill -9, and is delivered in order", async (t) => {
    const directory = temporaryFolder(t);
    const dead = await closedPort();
    for (let kill = 0; kill < 3; kill++) {
      const gateway = await RunningGateway.start(t, persistentParts(directory, dead));
      for (let number = 1; number <= 10; number++) {
        const answer = await send(gateway.http, "patient", 10 * kill + number, 5);
        assert.equal(answer?.status, 200);
      }
      await gateway.process.end();
    }
    const backend = await Backend.start(t);
    const last = await RunningGateway.start(t, persistentParts(directory, backend.address));
    await waitUntil(() => backend.itemsFrom("patient", "traces").length >= 150, {
      limitMs: 20_000,
      description: "what the killed processes left",
    });
    assert.deepEqual(
      arrivedFrom(backend, "patient"),
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    assert.equal(await last.process.stop(), 0, last.process.stderr);
    assert.equal(identity(last)["recovered"], 150);
    assert.equal(backend.itemsFrom("patient", "traces").length, 150, "each once");
  });

  // Scenario: files of the process may not grow any more, as on a full disk; later they may again.
  test("a full disk refuses retryably, loses nothing that was acknowledged, and recovers", async (t) => {
    const directory = temporaryFolder(t);
    const gateway = await RunningGateway.start(t, persistentParts(directory, await closedPort()));
    limitFileSize(gateway.process.pid, 6 * 1_048_576);
    const acknowledged: number[] = [];
    let number = 0;
    let refused: Response | undefined;
    while (refused === undefined) {
      const answer = await send(gateway.http, "full", ++number, 200);
      assert.ok(answer !== undefined, gateway.process.stderr);
      if (answer.status === 200) acknowledged.push(number);
      else refused = answer;
    }
    t.diagnostic(`${acknowledged.length} requests before the disk was full`);
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers.get("retry-after")) >= 1);
    await gateway.process.logged(
      ({ level, msg }) => level === "error" && msg.startsWith("records cannot be stored"),
      "the full disk",
    );
    assert.ok((await gateway.metric("inode_gateway_file_storage_failures")) >= 1);

    limitFileSize(gateway.process.pid, "unlimited");
    for (let count = 0; count < 5; count++) {
      assert.equal((await send(gateway.http, "full", ++number, 200))?.status, 200);
      acknowledged.push(number);
    }
    await gateway.process.logged(({ msg }) => msg === "records are stored again", "the recovery");
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
    assert.equal(identity(gateway)["persisted"], acknowledged.length * 200);

    const backend = await Backend.start(t);
    const next = await RunningGateway.start(t, persistentParts(directory, backend.address));
    await waitUntil(() => arrivedFrom(backend, "full").length >= acknowledged.length, {
      limitMs: 20_000,
      description: "everything acknowledged",
    });
    assert.deepEqual(arrivedFrom(backend, "full"), acknowledged);
    assert.equal(await next.process.stop(), 0, next.process.stderr);
  });

  test("a second gateway on the same directory does not start, and says who holds it", async (t) => {
    const directory = temporaryFolder(t);
    const backend = await Backend.start(t);
    const parts = persistentParts(directory, backend.address);
    const holder = await RunningGateway.start(t, parts);
    const impatient = {
      ...parts,
      extensions: { file_storage: { directory, timeout: "100ms" } },
    };
    await assert.rejects(RunningGateway.start(t, impatient), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, new RegExp(`in use by process ${holder.process.pid} on host `));
      assert.match(error.message, /give every replica and every `file_storage` a directory/);
      return true;
    });
    assert.equal((await send(holder.http, "still", 1, 1))?.status, 200);
  });
});
