import { describe, test } from "node:test";
import { conflictCases } from "./conflict-cases.js";
import { eventCases } from "./event-cases.js";
import { lifetimeCases } from "./lifetime-cases.js";
import { limitCases } from "./limit-cases.js";
import { lookupCases } from "./lookup-cases.js";
import { nodeCases } from "./node-cases.js";
import { reconcileCases } from "./reconcile-cases.js";
import {
  type CreateRegistryFixture,
  type RegistryFixture,
  suiteTimes,
} from "./registry-fixture.js";

/** One guarantee: its title, and what shows it. */
export type RegistryCase = readonly [string, (fixture: RegistryFixture) => Promise<void>];

/** Runs every guarantee of `ContainerRegistry` against one implementation, named `name`. */
export function runRegistrySuite(name: string, create: CreateRegistryFixture): void {
  const groups: readonly (readonly RegistryCase[])[] = [
    lookupCases,
    limitCases,
    lifetimeCases,
    conflictCases,
    reconcileCases,
    eventCases,
    nodeCases,
  ];
  describe(`registry: ${name}`, () => {
    for (const [title, run] of groups.flat()) {
      test(title, async () => {
        const fixture = await create(suiteTimes);
        try {
          await run(fixture);
        } finally {
          await fixture.close();
        }
      });
    }
  });
}
