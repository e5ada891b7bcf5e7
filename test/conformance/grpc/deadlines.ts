import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GrpcCode } from "@inode-gateway/grpc";
import { ECHO, noise, openChannel, SILENT, send, startServer, statusOf } from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";
import { framed, RawClient } from "./raw-client.js";
import { startRawServer } from "./raw-server.js";

const HOUR_MS = 3_600_000;

/** Deadlines in both directions, on the clock of `performance.now()`. */
export function deadlineCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: deadlines`, () => {
    test("ends a call that is not answered at its deadline, not before", async (t) => {
      const { address } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      await send(channel, ECHO);
      const startMs = performance.now();
      const deadlineMs = startMs + 100;
      const status = await statusOf(send(channel, SILENT, undefined, { deadlineMs }));
      const tookMs = performance.now() - startMs;
      assert.equal(status.code, GrpcCode.DEADLINE_EXCEEDED);
      assert.ok(tookMs >= 98 && tookMs < 2_000, `took ${tookMs} ms`);
    });

    test("does not send a call whose deadline is over", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      await send(channel, ECHO);
      for (const deadlineMs of [performance.now(), performance.now() - 1, 0, -1]) {
        const status = await statusOf(send(channel, ECHO, undefined, { deadlineMs }));
        assert.equal(status.code, GrpcCode.DEADLINE_EXCEEDED);
      }
      await send(channel, ECHO);
      assert.equal(calls.length, 2);
    });

    test("tells the handler the caller's deadline", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const channel = openChannel(t, implementation, address);
      await send(channel, ECHO);
      for (const timeoutMs of [10_000, 20_000.5, 90_000, 48 * HOUR_MS, 10_000 * HOUR_MS]) {
        const deadlineMs = performance.now() + timeoutMs;
        await send(channel, ECHO, undefined, { deadlineMs });
        const seenMs = calls.at(-1)?.deadlineMs ?? Number.NaN;
        // grpc-timeout has eight digits, so a long one is told in seconds or minutes.
        const tolerance = Math.max(2_000, timeoutMs / 1_000);
        const isNear = Math.abs(seenMs - deadlineMs) < tolerance;
        assert.ok(
          isNear || timeoutMs > 2 ** 31,
          `${seenMs - deadlineMs} ms away from ${timeoutMs}`,
        );
      }
      await send(channel, ECHO, undefined, { deadlineMs: Number.POSITIVE_INFINITY });
      assert.equal(calls.at(-1)?.deadlineMs, Number.POSITIVE_INFINITY);
    });

    test("reads every unit of grpc-timeout, up to eight digits", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const raw = new RawClient(t, address);
      const body = [framed(noise(3))];
      for (const [timeout, timeoutMs] of [
        ["99999999H", 99_999_999 * HOUR_MS],
        ["2592000S", 720 * HOUR_MS],
        ["99999999m", 99_999_999],
        ["3M", 180_000],
        ["00000007S", 7_000],
        ["9000000u", 9_000],
      ] as const) {
        const beforeMs = performance.now();
        const reply = await raw.send({ path: ECHO, headers: { "grpc-timeout": timeout }, body });
        assert.equal(reply.grpcStatus, GrpcCode.OK, timeout);
        const seenMs = (calls.at(-1)?.deadlineMs ?? Number.NaN) - beforeMs;
        assert.ok(seenMs >= timeoutMs && seenMs < timeoutMs + 2_000, `${timeout}: ${seenMs}`);
      }
    });

    test("refuses a grpc-timeout that is none", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const raw = new RawClient(t, address);
      const body = [framed(noise(3))];
      for (const timeout of [
        "",
        "1",
        "S",
        "1x",
        "-1S",
        "1.5S",
        "1 S",
        "1Sx",
        "x1S",
        "123456789m",
      ]) {
        const reply = await raw.send({ path: ECHO, headers: { "grpc-timeout": timeout }, body });
        assert.equal(reply.grpcStatus, GrpcCode.INTERNAL, JSON.stringify(timeout));
        assert.match(reply.grpcMessage, /grpc-timeout/);
      }
      assert.equal(calls.length, 0);
    });

    // Scenario: the raw client has no clock of its own, so the answer can only come from the server.
    test("answers DEADLINE_EXCEEDED by itself, during the request and during the handler", async (t) => {
      const { address, calls } = await startServer(t, implementation);
      const raw = new RawClient(t, address);
      const headers = { "grpc-timeout": "500m" };
      const inHandler = await raw.send({ path: SILENT, headers, body: [framed(noise(3))] });
      assert.equal(inHandler.grpcStatus, GrpcCode.DEADLINE_EXCEEDED);
      assert.equal(calls.length, 1);
      const body = [framed(noise(3)).subarray(0, 6)];
      const inRequest = await raw.send({ path: ECHO, headers, body, isEndless: true });
      assert.equal(inRequest.grpcStatus, GrpcCode.DEADLINE_EXCEEDED);
      assert.equal(calls.length, 1);
      const next = await raw.send({ path: ECHO, body: [framed(noise(3))] });
      assert.equal(next.grpcStatus, GrpcCode.OK);
    });

    test("sends the time that is left as grpc-timeout, and none without a deadline", async (t) => {
      const { address, requests } = await startRawServer(t, {
        body: framed(noise(3)),
        trailers: { "grpc-status": 0 },
      });
      const channel = openChannel(t, implementation, address);
      await send(channel, ECHO, undefined, { deadlineMs: performance.now() + 4_000 });
      const match = /^(\d{1,8})([HMSmun])$/.exec(String(requests[0]?.["grpc-timeout"]));
      const unitMs = { H: HOUR_MS, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }[match?.[2] ?? ""];
      const sentMs = Number(match?.[1]) * (unitMs ?? Number.NaN);
      assert.ok(sentMs > 1_000 && sentMs <= 4_001, `${sentMs} ms`);
      await send(channel, ECHO, undefined, { deadlineMs: Number.POSITIVE_INFINITY });
      assert.equal(requests[1]?.["grpc-timeout"], undefined);
    });
  });
}
