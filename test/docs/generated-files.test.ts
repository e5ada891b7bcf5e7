import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { builtInFactories } from "@inode-gateway/components";
import { telemetryConfig } from "@inode-gateway/gateway";
import { executableConfig } from "@inode-gateway/reporter";
import type { z } from "zod";
import { generatedFiles } from "./generated-files.js";
import { inputSchema } from "./input-schema.js";
import { optionsOf } from "./option-table.js";
import { readText } from "./repository.js";

suite("what is made from the code is current", () => {
  for (const { path, text } of generatedFiles()) {
    test(path, () => {
      const committed = readText(path);
      // How JSON is laid out is the formatter's business.
      const isCurrent = path.endsWith(".json")
        ? JSON.stringify(JSON.parse(committed)) === JSON.stringify(JSON.parse(text))
        : committed === text;
      if (isCurrent) return;
      const wanted = new Set(committed.split("\n"));
      const first = text.split("\n").find((line) => !wanted.has(line));
      assert.fail(
        `${path} is not what the code says; run \`node scripts/generate-docs.mjs\` and commit. ` +
          `The first line that differs should be: ${first}`,
      );
    });
  }
});

suite("every key has a description", () => {
  const sections: readonly (readonly [string, z.ZodType])[] = [
    ...builtInFactories.map(({ config, type }) => [type, config as z.ZodType] as const),
    ["service::telemetry", telemetryConfig],
    ["inode-reporter", executableConfig],
  ];
  for (const [name, schema] of sections) {
    test(name, () => {
      const without = optionsOf(inputSchema(schema)).filter(
        ({ schema: { description = "" } }) => !/\.$/.test(description),
      );
      assert.deepEqual(
        without.map(({ path }) => path),
        [],
        "these need a sentence in `.describe()`",
      );
    });
  }
});
