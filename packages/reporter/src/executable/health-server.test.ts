import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { maxAdminConnections } from "@inode-gateway/telemetry";
import type { ReporterStatus } from "../reporter-types.js";
import { startHealthServer } from "./health-server.js";

const ready: ReporterStatus = {
  phase: "running",
  isReady: true,
  reason: undefined,
  bootId: "4530dc38-04ea-45a8-95e6-f9bdbdda2992",
  hierarchy: "v2",
  containers: 3,
  mappings: 4,
  directories: 9,
  watches: 9,
  unwatchedDirectories: 0,
  contestedContainerIds: 0,
  registry: {
    isAvailable: true,
    lastError: undefined,
    lastAcknowledgedUnixMs: 1,
    pendingChanges: 0,
  },
};

test("200 with the status while ready, 503 with the reason otherwise, /live always 200", async (t) => {
  let status = ready;
  const server = await startHealthServer("127.0.0.1:0", () => status);
  t.after(() => server.close());
  const get = (path: string, method = "GET") =>
    fetch(`http://${server.address}${path}`, { method });

  const well = await get("/?verbose");
  assert.equal(well.status, 200);
  assert.equal(well.headers.get("content-type"), "application/json");
  const body = (await well.json()) as Record<string, unknown>;
  assert.equal(body["is_ready"], true);
  assert.equal(body["boot_id"], ready.bootId);
  assert.deepEqual(body["registry"], {
    is_available: true,
    last_acknowledged_unix_ms: 1,
    pending_changes: 0,
  });

  status = { ...ready, isReady: false, reason: "the registry does not answer: refused" };
  const ill = await get("/");
  assert.equal(ill.status, 503);
  const { reason } = (await ill.json()) as { reason: string };
  assert.equal(reason, status.reason);
  assert.equal((await get("/live")).status, 200);
  assert.equal((await get("/", "HEAD")).status, 503);
  assert.equal((await get("/other")).status, 404);
  const post = await get("/", "POST");
  assert.equal(post.status, 405);
  assert.equal(post.headers.get("allow"), "GET, HEAD");
});

test("a port in use is an error that names the endpoint and what to do", async (t) => {
  const server = await startHealthServer("127.0.0.1:0", () => ready);
  t.after(() => server.close());
  await assert.rejects(
    startHealthServer(server.address, () => ready),
    {
      message: `health endpoint cannot listen on ${server.address}: another process listens there; stop it (\`ss -ltnp\` names it), or set another \`health::endpoint\``,
    },
  );
});

test("the last connection within the limit is answered, one more is closed", async (t) => {
  const server = await startHealthServer("[::1]:0", () => ready);
  t.after(() => server.close());
  const port = Number(server.address.split(":").at(-1));
  const answerOf = () =>
    new Promise<string>((resolve) => {
      const socket = connect(port, "::1", () =>
        socket.write("GET /live HTTP/1.1\r\nhost: x\r\n\r\n"),
      );
      t.after(() => socket.destroy());
      socket.once("data", (data) => resolve(data.toString().slice(0, 15)));
      socket.once("error", () => resolve("closed"));
      socket.once("close", () => resolve("closed"));
    });
  for (let index = 0; index < maxAdminConnections; index++) {
    assert.equal(await answerOf(), "HTTP/1.1 200 OK");
  }
  assert.equal(await answerOf(), "closed");
});

test("closing ends open connections and may be repeated", async () => {
  const server = await startHealthServer("127.0.0.1:0", () => ready);
  const socket = connect(Number(server.address.split(":").at(-1)), "127.0.0.1");
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  await server.close();
  await closed;
  await server.close();
});
