import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as zlib from "node:zlib";
import { createTestBatch } from "@inode-gateway/testkit";
import { startGrpcExporter, startHttpExporter } from "./exporter-fixture.js";
import { startReceiver } from "./receiver-fixture.js";

const hasZstd = "zstdCompressSync" in zlib;
const small = createTestBatch({ itemCount: 2 });
/** Above what is compressed on the event loop. */
const large = createTestBatch({ itemCount: 5_000 });

suite("what the exporters compress, the receiver reads", () => {
  for (const compression of ["gzip", "snappy", "none", ...(hasZstd ? ["zstd"] : [])]) {
    test(`${compression} over gRPC`, async (t) => {
      const receiver = await startReceiver(t);
      const config = { endpoint: receiver.grpcAddress, tls: { insecure: true }, compression };
      const { exporter } = await startGrpcExporter(t, config);
      for (const batch of [small, large]) await exporter.consume(batch);
      assert.deepEqual(
        receiver.consumer.batches.map(({ bytes }) => Buffer.from(bytes).equals(small.bytes)),
        [true, false],
      );
      assert.ok(
        Buffer.from(large.bytes).equals(receiver.consumer.batches[1]?.bytes ?? Buffer.of()),
      );
    });
  }

  for (const [compression, level] of [
    ["gzip", 9],
    ["zlib", undefined],
    ["deflate", -1],
    ["snappy", undefined],
    ["x-snappy-framed", undefined],
    ["none", undefined],
    ...(hasZstd
      ? ([
          ["zstd", undefined],
          ["zstd", 19],
        ] as const)
      : []),
  ] as const) {
    test(`${compression} over HTTP, level ${level ?? "unset"}`, async (t) => {
      const receiver = await startReceiver(t);
      const compression_params = level === undefined ? {} : { level };
      const config = { endpoint: receiver.httpUrl, compression, compression_params };
      const { exporter } = await startHttpExporter(t, config);
      for (const batch of [small, large]) await exporter.consume(batch);
      for (const [index, batch] of [small, large].entries()) {
        const received = receiver.consumer.batches[index]?.bytes ?? Buffer.of();
        assert.ok(Buffer.from(batch.bytes).equals(received), `batch ${index}`);
      }
    });
  }
});
