import assert from "node:assert/strict";
import {
  createTestMapping,
  createTestNode,
  type RegistryFixture,
  shortAnswers,
  suiteTimes,
  testContainerId,
} from "./registry-fixture.js";
import type { RegistryCase } from "./registry-suite.js";

// Scenario of all: two virtual machines made from one memory snapshot, so with one boot ID.
const original = createTestNode({ nodeName: "original" });
const clone = createTestNode({ nodeName: "clone" });
const { bootId } = original;
const ofOriginal = createTestMapping(1020, 1);
const ofClone = createTestMapping(1020, 2);

async function ask(fixture: RegistryFixture, inode = 1020): Promise<string | undefined> {
  const gateway = await fixture.openGateway();
  return shortAnswers(await gateway.lookup([{ bootId, inode }]))[0];
}

async function beginConflict({ reporter, otherReporter }: RegistryFixture): Promise<void> {
  await reporter.publish(original, { published: [ofOriginal], vanished: [] });
  await otherReporter.publish(clone, { published: [ofClone], vanished: [] });
}

/** Two nodes that claim one boot ID are never guessed between. */
export const conflictCases: readonly RegistryCase[] = [
  [
    "while two reporters claim a boot ID, every key of it is ambiguous",
    async (fixture) => {
      await beginConflict(fixture);
      assert.equal(await ask(fixture), "ambiguous");
      assert.equal(await ask(fixture, 7777), "ambiguous");
      const [state] = await fixture.reporter.nodes();
      assert.equal(state?.isConflicted, true);
      assert.equal(state?.node.nodeName, "original");
    },
  ],
  [
    "the first one's mappings are believed again when the second is gone",
    async (fixture) => {
      await beginConflict(fixture);
      fixture.advance(suiteTimes.heartbeatTimeoutMs);
      await fixture.reporter.heartbeat(original);
      assert.equal(await ask(fixture), "ambiguous");
      fixture.advance(1);
      assert.equal(await ask(fixture), testContainerId(1));
      assert.equal((await fixture.reporter.nodes())[0]?.isConflicted, false);
    },
  ],
  [
    "the second takes over when the first is gone, with nothing of what the first had stored",
    async (fixture) => {
      const { otherReporter } = fixture;
      let asked = 0;
      otherReporter.onReconnected(() => asked++);
      await beginConflict(fixture);
      fixture.advance(suiteTimes.heartbeatTimeoutMs);
      await otherReporter.heartbeat(clone);
      assert.equal(await ask(fixture), "ambiguous");
      assert.equal(asked, 0);
      fixture.advance(1);
      await otherReporter.heartbeat(clone);
      assert.equal(asked, 1, "it must reconcile");
      assert.equal(await ask(fixture), "unknown_inode");
      assert.deepEqual(await otherReporter.reconcile(clone, [ofClone]), {
        published: 1,
        vanished: 0,
        unchanged: 0,
      });
      assert.equal(await ask(fixture), testContainerId(2));
      assert.equal((await otherReporter.nodes())[0]?.node.nodeName, "clone");
    },
  ],
  [
    "of three, it is ambiguous until only one is left",
    async (fixture) => {
      const { reporter, otherReporter } = fixture;
      const third = createTestNode({ nodeName: "third" });
      await beginConflict(fixture);
      await otherReporter.heartbeat(third);
      fixture.advance(suiteTimes.heartbeatTimeoutMs + 1);
      await otherReporter.heartbeat(clone);
      await otherReporter.heartbeat(third);
      await otherReporter.reconcile(clone, [ofClone]);
      assert.equal(await ask(fixture), "ambiguous");
      fixture.advance(suiteTimes.heartbeatTimeoutMs);
      await otherReporter.heartbeat(clone);
      fixture.advance(1);
      assert.equal(await ask(fixture), testContainerId(2));
      assert.equal((await reporter.nodes())[0]?.isConflicted, false);
    },
  ],
  [
    "the refused reporter's reconciliation changes nothing",
    async (fixture) => {
      const { reporter, otherReporter } = fixture;
      await reporter.publish(original, { published: [ofOriginal], vanished: [] });
      assert.deepEqual(await otherReporter.reconcile(clone, [createTestMapping(2000, 9)]), {
        published: 0,
        vanished: 0,
        unchanged: 0,
      });
      assert.deepEqual(await reporter.reconcile(original, [ofOriginal]), {
        published: 0,
        vanished: 0,
        unchanged: 1,
      });
    },
  ],
  [
    "a restarted reporter of the same name is no rival, whatever else changed",
    async (fixture) => {
      const { reporter, otherReporter } = fixture;
      await reporter.publish(original, { published: [ofOriginal], vanished: [] });
      const restarted = { ...original, reporterVersion: "0.2.0", hostName: "renamed" };
      await otherReporter.heartbeat(restarted);
      assert.equal(await ask(fixture), testContainerId(1));
      assert.deepEqual((await reporter.nodes())[0]?.node, restarted);
    },
  ],
];
