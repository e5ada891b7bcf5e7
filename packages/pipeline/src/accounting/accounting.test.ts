import assert from "node:assert/strict";
import { test } from "node:test";
import { CapturingConsumer, CapturingLogger, createTestBatch } from "@inode-gateway/testkit";
import { ComponentBugs } from "../flow/component-bugs.js";
import { Edge } from "../flow/edge.js";
import { Accounting, UNSETTLED_MAX } from "./accounting.js";
import type { CountedGraph } from "./counted-graph.js";
import { Tally } from "./tally.js";

/** One pipeline into one exporter, with a request that never ends. */
function createStuckGraph(): CountedGraph {
  const bugs = new ComponentBugs("exporter", new CapturingLogger(), { add: () => undefined });
  const edge = new Edge(new CapturingConsumer(() => new Promise(() => undefined)), bugs);
  void edge.consume(createTestBatch({ itemCount: 2 }));
  const name = { kind: "exporter", id: "exp", signal: "traces", pipeline: undefined } as const;
  const component = { ...name, tally: new Tally() };
  const pipeline = {
    id: "traces",
    signal: "traces",
    entrance: edge,
    processors: [],
    processorEdges: [],
    ends: [{ component, edge }],
    fanOut: undefined,
  } as const;
  return { pipelines: [pipeline], splits: [], components: [component] };
}

test("keeps the last of its unsettled parts apart; of one more the oldest is closed as it stands", () => {
  const accounting = new Accounting();
  const retireOne = () => {
    const graph = createStuckGraph();
    accounting.add(graph);
    accounting.retire(graph);
  };
  for (let count = 0; count < UNSETTLED_MAX; count++) retireOne();
  assert.equal(accounting.liveCount, 2 * UNSETTLED_MAX);
  retireOne();
  assert.equal(accounting.liveCount, 2 * UNSETTLED_MAX, "one came, one went");
  const [identity] = accounting.snapshot().identities;
  const items = 2 * (UNSETTLED_MAX + 1);
  assert.deepEqual([identity?.accepted, identity?.inFlight], [items, items], "none is forgotten");
  assert.equal(identity?.unaccounted, 0);
});
