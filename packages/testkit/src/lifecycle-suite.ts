import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { suite, test } from "node:test";
import type {
  Clock,
  Component,
  ComponentFactory,
  Consumer,
  Extension,
  Signal,
} from "@inode-gateway/contract";
import { CapturingConsumer } from "./capturing-consumer.js";
import { realClock } from "./real-clock.js";
import { createTestBatch } from "./test-batch.js";
import { TestHost } from "./test-host.js";
import { createTestSettings, type TestSettings } from "./test-settings.js";
import { waitUntil } from "./wait-until.js";

/** What the suite needs to know about one factory. */
export interface LifecycleSuiteOptions {
  /** As a user would write it, with free ports and temporary paths; made anew for every test. */
  readonly config?: unknown | (() => unknown);
  /** Extensions that the host offers, by ID; made anew for every test. */
  readonly extensions?: () => Readonly<Record<string, Extension>>;
  /** What a shutdown is given; it must be back within this and {@link DEADLINE_SLACK_MS}. Default 1,000. */
  readonly shutdownMs?: number;
}

/** How late a shutdown may be on a busy machine. */
const DEADLINE_SLACK_MS = 500;

/** What memory alone can cause; everything else is a timer, a file, a socket, a thread. */
const HARMLESS_RESOURCES: ReadonlySet<string> = new Set(["PROMISE", "TickObject", "Microtask"]);

interface Instance {
  readonly component: Component;
  readonly settings: TestSettings<Clock>;
  readonly output: CapturingConsumer;
  readonly host: TestHost;
}

/**
 * The part of a component's contract that is the same for all of them, as tests of node:test.
 *
 * Runs once per signal of the factory, on the real clock: `create` touches nothing outside memory,
 * `shutdown` is safe without `start` and twice, releases what `start` acquired, and is back by its
 * deadline; nothing reaches a consumer after it. It does not prove that telemetry is carried.
 */
export function runLifecycleSuite(
  factory: ComponentFactory,
  options: LifecycleSuiteOptions = {},
): void {
  const signals = factory.kind === "extension" ? [undefined] : factory.signals;
  for (const signal of signals) {
    suite(`lifecycle of ${factory.kind} ${factory.type} ${signal ?? ""}`.trimEnd(), () => {
      lifecycleTests(async () => makeInstance(factory, options, signal), options, signal);
    });
  }
}

function lifecycleTests(
  make: () => Promise<Instance>,
  options: LifecycleSuiteOptions,
  signal: Signal | undefined,
): void {
  const shutdownMs = options.shutdownMs ?? 1_000;

  test("create touches nothing outside memory", async () => {
    // makeInstance asserts it around the call of create.
    const { component, output } = await make();
    assert.equal(output.offered.length, 0);
    await shutDownInTime(component, shutdownMs);
  });

  test("shutdown is safe without start, and twice", async () => {
    const { component } = await make();
    await shutDownInTime(component, shutdownMs);
    await shutDownInTime(component, shutdownMs);
  });

  test("what start acquires is released by shutdown, which is safe twice", async () => {
    const { component, host, output, settings } = await make();
    const before = process.getActiveResourcesInfo().length;
    await component.start(host);
    await shutDownInTime(component, shutdownMs);
    const offered = output.offered.length;
    await shutDownInTime(component, shutdownMs);
    assert.equal(output.offered.length, offered, "nothing reaches a consumer after shutdown");
    await waitUntil(() => process.getActiveResourcesInfo().length <= before, {
      description: `resources left by shutdown: ${process.getActiveResourcesInfo().join(", ")}`,
    });
    await settings.backgroundSettled();
    assert.deepEqual(settings.backgroundFailures, []);
    assert.equal(settings.ledger.heldItems, 0);
  });

  test("a shutdown whose deadline has passed is back at once", async () => {
    const { component, host } = await make();
    await component.start(host);
    await shutDownInTime(component, 0);
  });

  if (signal !== undefined) carryingTest(make, shutdownMs, signal);
}

/** Only for components between consumers: exporters need a destination of their own. */
function carryingTest(make: () => Promise<Instance>, shutdownMs: number, signal: Signal): void {
  test("what was accepted has left, or is counted as dropped, when shutdown is over", async () => {
    const { component, host, output, settings } = await make();
    if (settings.kind !== "processor" && settings.kind !== "connector") return;
    const batch = createTestBatch({ signal, itemCount: 3 });
    await component.start(host);
    await (component as Component & Consumer).consume(batch);
    await shutDownInTime(component, shutdownMs);
    assert.equal(settings.ledger.heldItems, 0);
    assert.equal(output.itemCount + settings.ledger.droppedItems(), batch.itemCount);
  });
}

async function shutDownInTime(component: Component, shutdownMs: number): Promise<void> {
  const startMs = performance.now();
  const deadlineMs = startMs + shutdownMs;
  const overrun = new AbortController();
  const isLate = waitUntil(() => overrun.signal.aborted, {
    limitMs: shutdownMs + DEADLINE_SLACK_MS,
    description: "shutdown is back by its deadline",
  });
  await Promise.race([component.shutdown(deadlineMs), isLate]);
  overrun.abort();
  await isLate;
}

async function makeInstance(
  factory: ComponentFactory,
  options: LifecycleSuiteOptions,
  signal: Signal | undefined,
): Promise<Instance> {
  const written: unknown =
    typeof options.config === "function" ? await options.config() : (options.config ?? {});
  const config: unknown = factory.config.parse(written);
  const settings = createTestSettings({
    id: factory.type,
    kind: factory.kind,
    clock: realClock,
    ...(signal === undefined || factory.kind === "receiver" ? {} : { signal }),
    ...(factory.kind === "processor" ? { pipeline: `${signal}` } : {}),
  });
  const output = new CapturingConsumer();
  const host = new TestHost(options.extensions?.() ?? {});
  const component = withoutOutsideEffects(factory.type, () =>
    create(factory, settings, config, signal, output),
  );
  return { component, settings, output, host };
}

function create(
  factory: ComponentFactory,
  settings: TestSettings<Clock>,
  config: unknown,
  signal: Signal | undefined,
  output: Consumer,
): Component {
  switch (factory.kind) {
    case "receiver":
      return factory.create(settings, config, signal === undefined ? {} : { [signal]: output });
    case "processor":
      return factory.create(settings, config, output);
    case "connector":
      return factory.create(settings, config, new Map([[`${signal}`, output]]));
    case "exporter":
    case "extension":
      return factory.create(settings, config);
  }
}

function withoutOutsideEffects<T>(type: string, run: () => T): T {
  const touched: string[] = [];
  const hook = createHook({
    init: (_asyncId, resource) => {
      if (!HARMLESS_RESOURCES.has(resource)) touched.push(resource);
    },
  });
  hook.enable();
  try {
    return run();
  } finally {
    hook.disable();
    assert.deepEqual(touched, [], `create of ${type} touches something outside memory`);
  }
}
