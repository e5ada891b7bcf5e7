import assert from "node:assert/strict";
import { test } from "node:test";
import { CapturingExporter, createTestSettings } from "@inode-gateway/testkit";
import { z } from "zod";
import {
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
} from "./factory.js";

const config = z.strictObject({ size: z.int().default(1) });
const common = { type: "x", stability: "development", config } as const;
const signals = ["traces"] as const;

test("a definition is kept as it is, its kind added", () => {
  const create = () => new CapturingExporter();
  assert.equal(defineReceiver({ ...common, signals, create }).kind, "receiver");
  assert.equal(defineProcessor({ ...common, signals, create }).kind, "processor");
  assert.equal(defineConnector({ ...common, signals, create }).kind, "connector");
  assert.equal(defineExtension({ ...common, create }).kind, "extension");
  const exporter = defineExporter({ ...common, signals, aliases: ["y"], create });
  assert.deepEqual(exporter, { kind: "exporter", ...common, signals, aliases: ["y"], create });
});

test("create gets the output of the factory's own schema", () => {
  const sizes: number[] = [];
  const factory = defineExporter({
    ...common,
    signals,
    create: (_settings, { size }) => {
      sizes.push(size);
      return new CapturingExporter();
    },
  });
  factory.create(createTestSettings({ kind: "exporter" }), factory.config.parse({}));
  assert.deepEqual(sizes, [1]);
});
