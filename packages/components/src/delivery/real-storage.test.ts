import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Batch } from "@inode-gateway/contract";
import { createTestSettings, realClock, TestHost, waitUntil } from "@inode-gateway/testkit";
import { fileStorageConfig } from "../extensions/file-storage/config.js";
import { fileStorage } from "../extensions/file-storage/factory.js";
import { retryOnFailure, sendingQueue } from "./config.js";
import { DeliveringExporter } from "./delivering-exporter.js";
import { away, spansOf } from "./delivery.rig.js";

/** A process with a `file_storage` in this directory and an exporter whose queue is there. */
async function startProcess(directory: string, verdict: (batch: Batch) => unknown) {
  const extension = createTestSettings({ id: "file_storage", kind: "extension", clock: realClock });
  const storage = fileStorage.create(extension, fileStorageConfig.parse({ directory }));
  const host = new TestHost({ file_storage: storage });
  await storage.start(host);
  const settings = createTestSettings({
    id: "otlp_grpc",
    kind: "exporter",
    signal: "traces",
    clock: realClock,
  });
  const sent: Batch[] = [];
  const sender = {
    start: async () => undefined,
    send: async (batch: Batch) => {
      const error = verdict(batch);
      if (error !== undefined) throw error;
      sent.push(batch);
      return undefined;
    },
    close: async () => undefined,
  };
  const exporter = new DeliveringExporter(settings, sender, {
    retry: retryOnFailure().parse({ initial_interval: "1h", max_interval: "1h" }),
    queue: sendingQueue().parse({
      storage: "file_storage",
      num_consumers: 1,
      batch: { min_size: 0, partition: { metadata_keys: ["x-tenant"] } },
    }),
  });
  await exporter.start(host);
  return {
    exporter,
    sent,
    ledger: settings.ledger,
    stop: async () => {
      const deadlineMs = realClock.nowMs() + 5_000;
      await exporter.shutdown(deadlineMs);
      await storage.shutdown(deadlineMs);
    },
  };
}

test("a file_storage keeps what a stopped process could not deliver, in order", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "inode-gateway-delivery-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const first = await startProcess(directory, () => away);
  const tenants = Array.from({ length: 50 }, (_, index) => `t${index}`);
  await Promise.all(tenants.map((tenant) => first.exporter.consume(spansOf(tenant, 3))));
  await first.stop();
  assert.equal(first.ledger.persistedItems, 150);
  assert.equal(first.ledger.heldItems, 0);

  const second = await startProcess(directory, () => undefined);
  assert.equal(second.ledger.recoveredItems, 150);
  await waitUntil(() => second.ledger.heldItems === 0);
  await second.stop();
  const found = second.sent.map(({ origin }) => origin.metadata.get("x-tenant")?.[0]);
  assert.deepEqual(found, tenants);
  assert.deepEqual(Buffer.from(second.sent[0]?.bytes ?? []), Buffer.from(spansOf("t0", 3).bytes));

  const third = await startProcess(directory, () => undefined);
  assert.equal(third.ledger.recoveredItems, 0);
  await third.stop();
});
