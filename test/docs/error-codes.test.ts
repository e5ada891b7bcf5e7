import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  PermanentError,
  type PermanentErrorCode,
  RetryableError,
  type RetryableErrorCode,
} from "@inode-gateway/contract";
import { ExitCode } from "@inode-gateway/gateway";
import { GrpcCode } from "@inode-gateway/grpc";
import { createTestBatch } from "@inode-gateway/testkit";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";
import { startReceiver } from "../conformance/otlp/receiver-fixture.js";
import { tableRows } from "./markdown-table.js";
import { readText } from "./repository.js";

function tableOf(heading: string): string[][] {
  const [, behind = ""] = readText("docs/errors.md").split(`\n## ${heading}\n`);
  const [section = ""] = behind.split(/^## /m, 1);
  return tableRows(section);
}

/** The members of a union of string literals in the contract's source. */
function unionMembers(name: string): string[] {
  const source = readText("packages/contract/src/errors.ts");
  const [, union = ""] = new RegExp(`export type ${name} =([^;]*);`).exec(source) ?? [];
  return [...union.matchAll(/\| "([A-Z_]+)"/g)].map(([, member = ""]) => member);
}

suite("the codes in docs/errors.md", () => {
  const rows = tableOf("Codes").map(([code = "", ...others]) => [
    code.replaceAll("`", ""),
    ...others,
  ]);

  test("are those of the code, all of them, each on its side", () => {
    const permanent = rows.filter(([, isRetryable]) => isRetryable === "no").map(([code]) => code);
    const retryable = rows.filter(([, isRetryable]) => isRetryable === "yes").map(([code]) => code);
    assert.deepEqual(permanent, unionMembers("PermanentErrorCode"));
    assert.deepEqual(retryable, unionMembers("RetryableErrorCode"));
    assert.ok(permanent.length >= 3 && retryable.length >= 5);
    assert.equal(permanent.length + retryable.length, rows.length);
  });

  const [, overload = ""] = /^Overload \(([^)]*)\)/m.exec(readText("docs/errors.md")) ?? [];
  const overloadCodes = [...overload.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
  assert.ok(overloadCodes.length >= 4);

  for (const [code = "", mayRetry, grpcName = "", httpStatus] of rows) {
    test(`${code} is answered as the table says, on both transports`, async (t) => {
      const consume = () =>
        Promise.reject(
          mayRetry === "yes"
            ? new RetryableError(code as RetryableErrorCode, "later")
            : new PermanentError(code as PermanentErrorCode, "never"),
        );
      const receiver = await startReceiver(t, { output: { consume } });
      const { bytes } = createTestBatch();
      const http = await send(`${receiver.httpUrl}/v1/traces`, bytes);
      assert.equal(String(http.status), httpStatus);
      const client = new PlainGrpcClient(t, receiver.grpcAddress);
      const grpc = await client.call(exportPaths.traces, bytes);
      assert.equal(grpc.code, GrpcCode[grpcName as keyof typeof GrpcCode]);
      const isOverload = overloadCodes.includes(code);
      assert.equal(grpc.retrySeconds !== undefined, isOverload, "RetryInfo");
      assert.equal(http.headers["retry-after"] !== undefined, isOverload, "Retry-After");
    });
  }

  test("leave out what is a bug, which is told to be one", async (t) => {
    const consume = () => Promise.reject(new TypeError("x is not a function"));
    const receiver = await startReceiver(t, { output: { consume } });
    const answer = await send(`${receiver.httpUrl}/v1/traces`, createTestBatch().bytes);
    assert.equal(answer.status, 500);
    const [, said = ""] = /500 with `([^`]+)`/.exec(readText("docs/errors.md")) ?? [];
    assert.ok(said !== "" && answer.body.includes(said));
  });
});

test("the exit codes in docs/errors.md are those of the code", () => {
  const rows = tableOf("Exit codes");
  assert.deepEqual(
    rows.map(([code]) => Number(code)),
    Object.values(ExitCode).sort(),
  );
});
