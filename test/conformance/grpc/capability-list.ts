import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { capabilities, type GrpcImplementation } from "./implementation.js";

const readme = new URL("../../../../packages/grpc/README.md", import.meta.url);

/** What an implementation does not claim is known to its readers. */
export function capabilityListCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: capabilities`, () => {
    test("names every capability it lacks in the README, and none it has", async () => {
      const text = await readFile(readme, "utf8");
      const section = text.split(/^## /m).find((part) => part.startsWith("Known limits")) ?? "";
      const named = capabilities.filter((capability) => section.includes(`\`${capability}\``));
      const lacking = capabilities.filter((name) => !implementation.capabilities.has(name));
      assert.deepEqual(named, lacking);
    });
  });
}
