import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  ECHO,
  noise,
  openChannel,
  portOf,
  send,
  soon,
  startServer,
  temporaryFolder,
} from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";

/** Where a server listens and a channel connects to. */
export function addressCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: addresses`, () => {
    tcpCases(implementation);
    unixCases(implementation);
  });
}

function tcpCases(implementation: GrpcImplementation): void {
  const listening = [
    ["127.0.0.1:0", "tcp", /^127\.0\.0\.1:\d+$/, "127.0.0.1", /^127\.0\.0\.1:\d+$/],
    ["localhost:0", "tcp", /^127\.0\.0\.1:\d+$/, "localhost", /^127\.0\.0\.1:\d+$/],
    ["localhost:0", "tcp4", /^127\.0\.0\.1:\d+$/, "localhost", /^127\.0\.0\.1:\d+$/],
    ["0.0.0.0:0", "tcp", /^0\.0\.0\.0:\d+$/, "127.0.0.1", /^127\.0\.0\.1:\d+$/],
    [":0", "tcp4", /^0\.0\.0\.0:\d+$/, "127.0.0.1", /^127\.0\.0\.1:\d+$/],
    [":0", "tcp", /:\d+$/, "127.0.0.1", /^127\.0\.0\.1:\d+$/],
    ["[::1]:0", "tcp", /^\[::1\]:\d+$/, "[::1]", /^\[::1\]:\d+$/],
    ["[::1]:0", "tcp6", /^\[::1\]:\d+$/, "[::1]", /^\[::1\]:\d+$/],
    [":0", "tcp6", /^\[::\]:\d+$/, "[::1]", /^\[::1\]:\d+$/],
  ] as const;
  for (const [endpoint, transport, bound, host, peer] of listening) {
    test(`listens on ${endpoint} over ${transport} and names the caller`, async (t) => {
      const options = { endpoint, transport };
      const { address, calls } = await startServer(t, implementation, options);
      assert.match(address, bound);
      assert.notEqual(portOf(address), 0, "the port that was picked");
      for (const target of [`${host}:${portOf(address)}`, `dns:///${host}:${portOf(address)}`]) {
        await send(openChannel(t, implementation, target), ECHO, noise(10));
        assert.match(calls.at(-1)?.peer ?? "", peer);
      }
    });
  }

  test("says which endpoint it cannot take and why, with the system's code", async (t) => {
    const { address } = await startServer(t, implementation);
    const wrong = [
      [address, "tcp", "EADDRINUSE"],
      ["192.0.2.1:0", "tcp", "EADDRNOTAVAIL"],
      ["127.0.0.1", "tcp", "EINVAL"],
      ["127.0.0.1:65536", "tcp", "EINVAL"],
      ["::1:4317", "tcp", "EINVAL"],
      ["[::1]:0", "tcp4", "EINVAL"],
      ["127.0.0.1:0", "tcp6", "EINVAL"],
      ["", "unix", "EINVAL"],
      ["/no/such/folder/gateway.sock", "unix", /^(?:ENOENT|EACCES)$/],
    ] as const;
    for (const [endpoint, transport, code] of wrong) {
      const options = { endpoint, transport };
      await assert.rejects(startServer(t, implementation, options), (error: Error) => {
        assert.ok(error.message.includes(`\`${endpoint}\``), error.message);
        assert.match("code" in error ? String(error.code) : "none", new RegExp(code));
        return true;
      });
    }
  });
}

function unixCases(implementation: GrpcImplementation): void {
  test("serves on a unix socket, whose file is gone after shutdown", async (t) => {
    const path = join(await temporaryFolder(t), "gateway.sock");
    const options = { endpoint: path, transport: "unix" } as const;
    const { server, address, calls } = await startServer(t, implementation, options);
    assert.equal(address, `unix:${path}`);
    const message = noise(300_000);
    const channel = openChannel(t, implementation, `unix://${path}`);
    const response = await send(channel, ECHO, message, { compression: "gzip" });
    assert.ok(Buffer.from(response).equals(message));
    assert.equal(calls[0]?.peer, `unix:${path}`);
    await channel.close(soon());
    await server.shutdown(soon());
    await assert.rejects(lstat(path), { code: "ENOENT" });
  });

  // Scenario: a process listens and is killed, so that its socket file stays and nobody answers.
  test("replaces the socket of a dead process", async (t) => {
    const path = join(await temporaryFolder(t), "gateway.sock");
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log(1))`;
    const process_ = spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(process_.stdout, "data");
    process_.kill("SIGKILL");
    await once(process_, "exit");
    assert.ok((await lstat(path)).isSocket(), "the file is still there");
    await startServer(t, implementation, { endpoint: path, transport: "unix" });
    await send(openChannel(t, implementation, `unix://${path}`), ECHO);
  });

  test("leaves a socket that answers, and a file that is no socket, alone", async (t) => {
    const folder = await temporaryFolder(t);
    const live = join(folder, "live.sock");
    const owner = createServer().listen(live);
    t.after(() => owner.close());
    await once(owner, "listening");
    const file = join(folder, "file");
    await writeFile(file, "precious");
    for (const endpoint of [live, file]) {
      const start = startServer(t, implementation, { endpoint, transport: "unix" });
      await assert.rejects(start, { code: "EADDRINUSE" });
    }
    assert.equal(await readFile(file, "utf8"), "precious");
    assert.ok((await lstat(live)).isSocket());
  });

  test("takes a path of 107 bytes, and not of 108", async (t) => {
    const folder = await temporaryFolder(t);
    const longest = join(folder, "x".repeat(107 - Buffer.byteLength(folder) - 1));
    await startServer(t, implementation, { endpoint: longest, transport: "unix" });
    await send(openChannel(t, implementation, `unix://${longest}`), ECHO);
    const tooLong = { endpoint: `${longest}x`, transport: "unix" } as const;
    await assert.rejects(startServer(t, implementation, tooLong), { code: "ENAMETOOLONG" });
  });
}
