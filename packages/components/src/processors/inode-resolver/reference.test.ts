import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "@inode-gateway/contract";
import {
  type AttributeScalar,
  checkRequest,
  WireWriter,
  writeAttribute,
} from "@inode-gateway/otlp";
import { createTestOrigin, decodeRequest } from "@inode-gateway/testkit";
import fc from "fast-check";
import { BOOT_ID, CONTAINER_ID, FOREIGN_BOOT_ID, OTHER_ID, startRig } from "./resolver.rig.js";

type Pairs = readonly (readonly [string, AttributeScalar])[];

interface DecodedAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface DecodedEntry {
  resource?: { attributes?: DecodedAttribute[]; [field: string]: unknown };
  [field: string]: unknown;
}

const identityPairs: fc.Arbitrary<Pairs> = fc
  .record({
    inode: fc.constantFrom<AttributeScalar | undefined>(4026, "4026", 5, "x", undefined),
    bootId: fc.constantFrom<string | undefined>(BOOT_ID, FOREIGN_BOOT_ID, "no uuid", undefined),
    nodeName: fc.constantFrom<string | undefined>("worker-1", "worker-2", undefined),
    containerId: fc.constantFrom<string | undefined>(CONTAINER_ID, OTHER_ID, "", undefined),
    podName: fc.constantFrom<string | undefined>("mine", undefined),
  })
  .map(({ bootId, containerId, inode, nodeName, podName }) => [
    ...(inode === undefined ? [] : [["container.cgroup.inode", inode] as const]),
    ...(bootId === undefined ? [] : [["host.boot.id", bootId] as const]),
    ...(nodeName === undefined ? [] : [["k8s.node.name", nodeName] as const]),
    ...(containerId === undefined ? [] : [["container.id", containerId] as const]),
    ...(podName === undefined ? [] : [["k8s.pod.name", podName] as const]),
  ]);

const otherPairs: fc.Arbitrary<Pairs> = fc
  .uniqueArray(
    fc.tuple(
      fc.string({ maxLength: 12 }).map((key) => `a.${key}`),
      fc.string(),
    ),
    {
      selector: ([key]) => key,
      maxLength: 5,
    },
  )
  .map((pairs) => pairs.map(([key, value]) => [key, value] as const));

const resource = fc
  .tuple(identityPairs, otherPairs)
  .chain(([identity, other]) =>
    fc.shuffledSubarray([...identity, ...other], { minLength: identity.length + other.length }),
  );

/** A request whose entries may have no Resource, an empty one, or an unknown field beside it. */
const request = fc.array(
  fc.record({
    pairs: fc.option(resource, { nil: undefined }),
    spans: fc.nat(3),
    isResourceLast: fc.boolean(),
    hasUnknownField: fc.boolean(),
  }),
  { maxLength: 6 },
);

function build(entries: Entries): Uint8Array {
  const writer = new WireWriter(256);
  for (const { hasUnknownField, isResourceLast, pairs, spans } of entries) {
    const entry = writer.startMessage(1);
    if (!isResourceLast) writeResource(writer, pairs, hasUnknownField);
    const scope = writer.startMessage(2);
    for (let span = 0; span < spans; span++) {
      const started = writer.startMessage(2);
      writer.stringField(5, `span ${span}`);
      writer.endMessage(started);
    }
    writer.endMessage(scope);
    if (isResourceLast) writeResource(writer, pairs, hasUnknownField);
    writer.stringField(3, "schema");
    writer.endMessage(entry);
  }
  return writer.finish();
}

function writeResource(writer: WireWriter, pairs: Pairs | undefined, hasUnknown: boolean): void {
  if (pairs === undefined) return;
  const started = writer.startMessage(1);
  for (const [key, value] of pairs) writeAttribute(writer, 1, key, value);
  if (hasUnknown) writer.stringField(77, "kept");
  writer.endMessage(started);
}

type Entries = readonly {
  readonly pairs: Pairs | undefined;
  readonly spans: number;
  readonly isResourceLast: boolean;
  readonly hasUnknownField: boolean;
}[];

/** What the resolver should make of it, written down without any cleverness. */
function expected(entries: readonly DecodedEntry[]): readonly DecodedEntry[] {
  return entries.map((entry) => {
    const attributes = entry.resource?.attributes;
    if (attributes === undefined || !isResolvable(attributes)) return entry;
    const kept = attributes
      .filter(({ key }) => key !== "container.cgroup.inode" && key !== "host.boot.id")
      .map((attribute) =>
        attribute.key === "container.id" ? text("container.id", CONTAINER_ID) : attribute,
      );
    const added = [
      text("container.id", CONTAINER_ID),
      text("k8s.container.name", "checkout"),
      { key: "k8s.container.restart_count", value: { int_value: "2" } },
      text("k8s.pod.name", "checkout-7f9c"),
    ].filter(({ key }) => kept.every((attribute) => attribute.key !== key));
    return { ...entry, resource: { ...entry.resource, attributes: [...kept, ...added] } };
  });
}

function text(key: string, value: string): DecodedAttribute {
  return { key, value: { string_value: value } };
}

function isResolvable(attributes: readonly DecodedAttribute[]): boolean {
  const value = (name: string) =>
    Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];
  if (value("container.cgroup.inode") !== "4026") return false;
  if (value("host.boot.id") === BOOT_ID) return true;
  return value("k8s.node.name") === "worker-1";
}

function entriesOf(bytes: Uint8Array): readonly DecodedEntry[] {
  const decoded = decodeRequest("traces", bytes) as { resource_spans?: DecodedEntry[] };
  return decoded.resource_spans ?? [];
}

// Guarantees: whatever a request looks like, the resolver changes what decoding, editing and encoding
// would change and nothing else, on the first batch (looked up) as on the second (remembered).
test("the output decodes to what a plain decode-and-edit gives", async () => {
  const rig = await startRig({ config: { hold: { timeout: "0s" } } });
  await fc.assert(
    fc.asyncProperty(request, async (entries) => {
      const bytes = build(entries);
      const wanted = expected(entriesOf(bytes));
      assert.equal(wanted.length, entries.length);
      for (const _round of ["looked up", "remembered"]) {
        const batch = new Batch({ signal: "traces", chunks: [bytes], origin: createTestOrigin() });
        await rig.resolver.consume(batch);
        const sent = rig.output.batches.pop();
        assert.ok(sent);
        checkRequest("traces", sent.bytes);
        assert.deepEqual(entriesOf(sent.bytes), wanted);
        assert.equal(sent.itemCount, batch.itemCount);
        if (entries.some(({ hasUnknownField, pairs }) => hasUnknownField && pairs)) {
          assert.ok(Buffer.from(sent.bytes).includes("kept"), "unknown fields survive");
        }
      }
    }),
    { numRuns: 300 },
  );
  for (const name of ["resolved_resources", "unresolved_resources", "cache_hits"]) {
    assert.ok(rig.count(name) > 100, `${name}: the requests were of every kind`);
  }
});
