import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { buildRequest, waitUntil } from "@inode-gateway/testkit";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { Backend } from "./backend.js";
import { Executable, type LogLine } from "./executable.js";
import { temporaryFolder } from "./running-gateway.js";
import { spansOf } from "./spans.js";

/** Reloads under load, one each second. */
const RELOADS = 16;

/** Requests of one item that wait in memory for a destination that is away. */
const QUEUED = 20;

/** Passes bytes on and counts connections: the client's and the gateway's end with one another. */
class CountingProxy {
  opened = 0;
  closed = 0;
  readonly address: string;

  private constructor(address: string) {
    this.address = address;
  }

  static async start(t: TestContext, target: string): Promise<CountingProxy> {
    const [host = "", port] = target.split(":");
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      proxy.opened++;
      const gateway = connect(Number(port), host);
      for (const [from, to] of [
        [client, gateway],
        [gateway, client],
      ] as const) {
        sockets.add(from);
        from.setNoDelay(true);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
      gateway.on("close", () => {
        proxy.closed++;
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new CountingProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return proxy;
  }
}

async function takenEndpoint(t: TestContext): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Destinations {
  readonly steady: string;
  readonly disk: string;
  readonly later: string;
  readonly directory: string;
}

/** A configuration that differs with `version` in a processor and in an exporter with a queue on disk. */
function configuration({ directory, disk, later, steady }: Destinations, version: number) {
  const tls = { insecure: true };
  const prometheus = { host: "127.0.0.1", port: 0 };
  const endpoint = "127.0.0.1:0";
  return {
    extensions: { file_storage: { directory } } as Record<string, object>,
    receivers: { otlp: { protocols: { grpc: { endpoint }, http: { endpoint } } } },
    processors: { batch: { timeout: `${20 + version}ms` } } as Record<string, object>,
    exporters: {
      "otlp_grpc/steady": { endpoint: steady, tls },
      "otlp_grpc/disk": {
        endpoint: disk,
        tls,
        timeout: `${5 + version}s`,
        sending_queue: { storage: "file_storage" },
      },
      "otlp_grpc/later": {
        endpoint: later,
        tls,
        retry_on_failure: { initial_interval: "200ms", max_interval: "500ms", max_elapsed_time: 0 },
      },
    },
    service: {
      extensions: ["file_storage"],
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus } } }] } },
      pipelines: {
        "traces/steady": { receivers: ["otlp"], exporters: ["otlp_grpc/steady"] },
        "traces/changing": {
          receivers: ["otlp"],
          processors: ["batch"],
          exporters: ["otlp_grpc/disk"],
        },
        logs: { receivers: ["otlp"], exporters: ["otlp_grpc/later"] },
      },
    },
  };
}

/** The configurations in turn: two of three are wrong, each in its own way. */
function versionOf(destinations: Destinations, round: number, taken: string) {
  const document = configuration(destinations, round);
  if (round % 4 === 1) {
    document.processors["batch"] = { timeuot: "1s" };
    return { document, status: 400, problem: /unknown key "timeuot"/ };
  }
  if (round % 4 === 3) {
    document.extensions["health_check"] = { endpoint: taken };
    document.service.extensions.push("health_check");
    return { document, status: 500, problem: /cannot start extension "health_check"/ };
  }
  return { document, status: 200, problem: /in force/ };
}

/** Senders that keep their connections; every request has an ID of its own. */
class Load {
  readonly acknowledged = new Set<string>();
  readonly refused: string[] = [];
  #isStopped = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(t: TestContext, http: string, grpc: string) {
    const client = new PlainGrpcClient(t, grpc);
    const overGrpc = async (sender: string) => {
      const { code, message } = await client.call(exportPaths.traces, spansOf(sender, {}));
      return code === 0 ? undefined : `gRPC ${code} ${message}`;
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    t.after(() => agent.destroy());
    const overHttp = async (sender: string) => {
      const answer = await post(agent, http, spansOf(sender, {}));
      return answer.status === 200 ? undefined : `HTTP ${answer.status} ${answer.text}`;
    };
    const workers = [overHttp, overHttp, overGrpc, overGrpc, overGrpc];
    this.#ended = Promise.all(
      workers.map(async (send, worker) => {
        for (let number = 0; !this.#isStopped; number++) {
          const sender = `${worker}-${number}`;
          const problem = await send(sender).catch((error: unknown) => String(error));
          if (problem === undefined) this.acknowledged.add(sender);
          else this.refused.push(problem);
        }
      }),
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }
}

function post(agent: Agent, address: string, body: Uint8Array) {
  const [host, port] = address.split(":");
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
    const options = { agent, host, port, path: "/v1/traces", method: "POST", headers };
    const sending = request(options, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => {
        text += part.toString("latin1");
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    sending.on("error", reject);
    sending.end(body);
  });
}

const concluded = [
  "the new configuration is in force",
  "the new configuration is wrong, the old one goes on",
  "the new configuration failed, the old one goes on",
];

/** Loads the file again, by turns over HTTP and with a signal, and waits for what is logged. */
async function reload(process: Executable, metrics: string, round: number) {
  const conclusions = () => process.log().filter(({ msg }) => concluded.includes(msg));
  const before = conclusions().length;
  if (round % 2 === 0 || round % 8 === 1 || round % 8 === 3) {
    const answer = await fetch(`http://${metrics}/-/reload`, { method: "POST" });
    return { status: answer.status, text: await answer.text() };
  }
  process.signal("SIGHUP");
  await waitUntil(() => conclusions().length > before, {
    limitMs: 10_000,
    description: "the end of a reload by SIGHUP",
  });
  const line = conclusions().at(-1);
  const status = [200, 400, 500][concluded.indexOf(line?.msg ?? "")];
  return { status, text: `${line?.msg} ${line?.["problems"]} ${line?.["reason"]}` };
}

/** How often each request of the load has arrived at a backend. */
function arrivals({ items }: Backend): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { resource } of items) {
    const sender = resource["e2e.sender"] ?? "";
    counts.set(sender, (counts.get(sender) ?? 0) + 1);
  }
  return counts;
}

function assertOnceEach(backend: Backend, load: Load, name: string): void {
  const counts = arrivals(backend);
  const missing = [...load.acknowledged].filter((sender) => !counts.has(sender));
  assert.deepEqual(missing, [], `${name}: acknowledged and not delivered`);
  const doubled = [...counts].filter(([, count]) => count > 1);
  assert.deepEqual(doubled, [], `${name}: delivered more than once`);
  assert.equal(counts.size, load.acknowledged.size, name);
}

function assertAccounted(lines: readonly LogLine[]): void {
  const identities = lines.filter(({ msg }) => msg === "every accepted item is accounted for");
  assert.equal(identities.length, 3);
  for (const line of identities) {
    const { accepted, delivered, dropped, recovered = 0, persisted = 0 } = line;
    assert.deepEqual(dropped, {}, JSON.stringify(line));
    assert.equal(
      Number(accepted) + Number(recovered),
      Number(delivered) + Number(persisted),
      JSON.stringify(line),
    );
  }
}

async function startGateway(t: TestContext, destinations: Destinations) {
  const path = join(temporaryFolder(t), "gateway.yaml");
  const write = (document: object) => writeFileSync(path, JSON.stringify(document));
  write(configuration(destinations, 0));
  const process = new Executable("inode-gateway", ["--config", path]);
  t.after(() => process.end());
  await process.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
  const endpoint = (fits: (line: LogLine) => boolean) =>
    String(process.log().find(fits)?.["endpoint"]);
  return {
    process,
    write,
    grpc: endpoint(({ transport }) => transport === "grpc"),
    http: endpoint(({ transport }) => transport === "http"),
    metrics: endpoint(({ msg }) => msg === "serving metrics"),
  };
}

suite("reload", () => {
  // Scenario: senders on connections that stay open; every second the file is replaced, by turns with a
  // processor and a persistent exporter changed, a key misspelt, and an extension that cannot start; a
  // destination that is away all the time has requests in its queue.
  // Guarantees: nobody is refused, no connection ends, and everything arrives exactly once.
  test("every second under load, good and bad files by turns", async (t) => {
    const steady = await Backend.start(t);
    const disk = await Backend.start(t);
    const later = await Backend.start(t);
    const directory = join(temporaryFolder(t), "queues");
    mkdirSync(directory);
    const destinations = {
      steady: steady.address,
      disk: disk.address,
      later: later.address,
      directory,
    };
    await later.close();
    const { grpc, http, metrics, process, write } = await startGateway(t, destinations);
    const taken = await takenEndpoint(t);
    const logs = new PlainGrpcClient(t, grpc);
    for (let count = 0; count < QUEUED; count++) {
      assert.equal(
        (await logs.call(exportPaths.logs, buildRequest("logs", { itemsPerScope: 1 }))).code,
        0,
      );
    }
    const httpProxy = await CountingProxy.start(t, http);
    const grpcProxy = await CountingProxy.start(t, grpc);
    const load = new Load(t, httpProxy.address, grpcProxy.address);
    let slowestMs = 0;
    for (let round = 1; round <= RELOADS; round++) {
      await delay(1_000);
      const { document, problem, status } = versionOf(destinations, round, taken);
      write(document);
      const startMs = performance.now();
      const report = await reload(process, metrics, round);
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      assert.equal(report.status, status, report.text);
      assert.match(report.text, problem);
    }
    await load.stop();
    t.diagnostic(`${load.acknowledged.size} requests acknowledged over ${RELOADS} reloads`);
    t.diagnostic(`the slowest reload took ${slowestMs.toFixed(0)} ms`);
    assert.deepEqual(load.refused, []);
    assert.ok(load.acknowledged.size > 100);
    assert.deepEqual([httpProxy.opened, httpProxy.closed], [2, 0]);
    assert.deepEqual([grpcProxy.opened, grpcProxy.closed], [1, 0]);
    const restarted = new Backend(destinations.later);
    await restarted.listen();
    t.after(() => restarted.close());
    await waitUntil(() => restarted.items.length >= QUEUED, { limitMs: 15_000 });
    assert.equal(await process.stop(), 0, process.stderr);
    assertOnceEach(steady, load, "the destination that stays");
    assertOnceEach(disk, load, "the destination with a queue on disk");
    assert.equal(restarted.items.length, QUEUED, "a queue in memory goes on, once each");
    assertAccounted(process.log());
  });
});
