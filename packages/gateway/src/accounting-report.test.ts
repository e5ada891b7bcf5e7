import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { AccountingSnapshot, IdentityAccount } from "@inode-gateway/pipeline";
import { CapturingLogger } from "@inode-gateway/testkit";
import { reportAccounting } from "./accounting-report.js";

function identity(changes: Partial<IdentityAccount>): IdentityAccount {
  return {
    kind: "exporter",
    id: "otlp_grpc",
    signal: "traces",
    accepted: 0,
    recovered: 0,
    deliveredButRefused: 0,
    deliveredEarly: 0,
    delivered: 0,
    dropped: 0,
    dropReasons: {},
    persisted: 0,
    held: 0,
    inFlight: 0,
    unaccounted: 0,
    ...changes,
  };
}

function reported(snapshot: Partial<AccountingSnapshot>) {
  const logger = new CapturingLogger();
  const whole = { pipelines: [], components: [], identities: [], ...snapshot };
  reportAccounting(whole, logger);
  return logger.records.map(({ level, message, fields }) => ({ level, message, fields }));
}

suite("accounting report", () => {
  test("an exporter that nothing reached is not worth a line", () => {
    assert.deepEqual(reported({ identities: [identity({})] }), []);
  });

  test("what came out even is told once for each exporter and signal", () => {
    const identities = [
      identity({ accepted: 10, delivered: 10 }),
      identity({ signal: "logs", accepted: 3, delivered: 3 }),
    ];
    assert.deepEqual(reported({ identities }), [
      {
        level: "info",
        message: "every accepted item is accounted for",
        fields: {
          exporter: "otlp_grpc",
          signal: "traces",
          accepted: 10,
          delivered: 10,
          dropped: {},
        },
      },
      {
        level: "info",
        message: "every accepted item is accounted for",
        fields: { exporter: "otlp_grpc", signal: "logs", accepted: 3, delivered: 3, dropped: {} },
      },
    ]);
  });

  test("what was dropped is told by reason", () => {
    const dropReasons = { shutdown: 4, rejected: 4 };
    const [record] = reported({
      identities: [identity({ accepted: 10, delivered: 2, dropped: 8, dropReasons })],
    });
    assert.deepEqual(record?.fields["dropped"], dropReasons);
    assert.equal(record?.level, "info");
  });

  test("what was found on disk and what stays there is told, and is no loss", () => {
    const [record] = reported({
      identities: [identity({ recovered: 7, accepted: 10, delivered: 12, persisted: 5 })],
    });
    assert.equal(record?.message, "every accepted item is accounted for");
    assert.deepEqual([record?.fields["recovered"], record?.fields["persisted"]], [7, 5]);
    const [untouched] = reported({ identities: [identity({ recovered: 3, persisted: 3 })] });
    assert.equal(untouched?.fields["persisted"], 3, "nothing but the disk was involved");
    const [plain] = reported({ identities: [identity({ accepted: 1, delivered: 1 })] });
    assert.ok(plain !== undefined && !("persisted" in plain.fields || "recovered" in plain.fields));
  });

  test("what is still held or under way at the end is lost, and an error", () => {
    const [held] = reported({ identities: [identity({ accepted: 10, delivered: 7, held: 3 })] });
    assert.equal(held?.level, "error");
    assert.equal(held?.message, "items were lost when the time to stop was over");
    assert.equal(held?.fields["held"], 3);
    const [flying] = reported({
      identities: [identity({ accepted: 10, delivered: 9, inFlight: 1 })],
    });
    assert.equal(flying?.fields["inFlight"], 1);
  });

  test("a sum that does not come out is called our bug, in either direction", () => {
    for (const unaccounted of [1, -1]) {
      const [record] = reported({
        identities: [identity({ accepted: 10, delivered: 10 - unaccounted, unaccounted })],
      });
      assert.equal(record?.level, "error");
      assert.equal(record?.message, "items are unaccounted for: a bug of the gateway");
      assert.equal(record?.fields["unaccounted"], unaccounted);
    }
  });

  test("items that a destination took although the sender was refused are told", () => {
    const [record] = reported({
      identities: [identity({ accepted: 5, delivered: 8, deliveredButRefused: 3 })],
    });
    assert.equal(record?.fields["deliveredButRefused"], 3);
    const [quiet] = reported({ identities: [identity({ accepted: 5, delivered: 5 })] });
    assert.ok(quiet !== undefined && !("deliveredButRefused" in quiet.fields));
  });
});
