import assert from "node:assert/strict";
import { test } from "node:test";
import { countItems, dropItems } from "@inode-gateway/otlp";
import { arbitraryRequest, buildRequest, decodeRequest } from "@inode-gateway/testkit";
import fc from "fast-check";
import { compileCondition } from "./compile-condition.js";
import { ConditionDecider } from "./condition-decider.js";
import { ConditionList } from "./condition-list.js";
import type { ContextName } from "./path-fields.js";

/** A message as protobufjs decodes it. */
// biome-ignore lint/suspicious/noExplicitAny: whatever a random request holds
type Decoded = any;

/** A condition in the language and the same by hand, on decoded messages. */
type Pair = readonly [
  text: string,
  holds: (item: Decoded, resource: Decoded, scope: Decoded) => boolean,
];

const attribute = (holder: Decoded, key: string): Decoded =>
  holder?.attributes?.find((entry: Decoded) => (entry.key ?? "") === key)?.value;

const cases = {
  traces: {
    context: "span",
    groups: ["resource_spans", "scope_spans", "spans"],
    pairs: [
      ['name == ""', (span) => (span.name ?? "") === ""],
      ['name != "GET"', (span) => span.name !== "GET"],
      ["kind == SPAN_KIND_SERVER", (span) => span.kind === 2],
      ["status.code == STATUS_CODE_UNSET", (span) => (span.status?.code ?? 0) === 0],
      ["dropped_attributes_count > 2", (span) => (span.dropped_attributes_count ?? 0) > 2],
      ["IsRootSpan()", (span) => (span.parent_span_id ?? []).every((byte: number) => byte === 0)],
      [
        'attributes["http.response.status_code"] == 200',
        (span) => attribute(span, "http.response.status_code")?.int_value === "200",
      ],
      [
        'resource.attributes["service.name"] == "checkout-0"',
        (_, resource) => attribute(resource, "service.name")?.string_value === "checkout-0",
      ],
      ['scope.name == ""', (_span, _resource, scope) => (scope?.name ?? "") === ""],
    ],
  },
  logs: {
    context: "log",
    groups: ["resource_logs", "scope_logs", "log_records"],
    pairs: [
      ["severity_number >= SEVERITY_NUMBER_INFO", (log) => (log.severity_number ?? 0) >= 9],
      ['severity_text == ""', (log) => (log.severity_text ?? "") === ""],
      ["IsString(body)", (log) => log.body?.string_value !== undefined],
      ["flags == 0", (log) => (log.flags ?? 0) === 0],
      ['event_name != ""', (log) => (log.event_name ?? "") !== ""],
    ],
  },
  metrics: {
    context: "metric",
    groups: ["resource_metrics", "scope_metrics", "metrics"],
    pairs: [
      ["type == METRIC_DATA_TYPE_SUM", (metric) => metric.sum !== undefined],
      ["type == METRIC_DATA_TYPE_HISTOGRAM", (metric) => metric.histogram !== undefined],
      ["is_monotonic == true", (metric) => metric.sum?.is_monotonic === true],
      ['unit == ""', (metric) => (metric.unit ?? "") === ""],
      ["Len(metadata) == 0", (metric) => (metric.metadata ?? []).length === 0],
    ],
  },
} as const satisfies Readonly<
  Record<string, { context: ContextName; groups: readonly string[]; pairs: readonly Pair[] }>
>;

function filtered(request: Decoded, groups: readonly string[], pair: Pair): Decoded {
  const [groupKey = "", scopeKey = "", itemKey = ""] = groups;
  const without = (holder: Decoded, key: string, isKept: (element: Decoded) => boolean) => {
    const list: Decoded[] = holder[key] ?? [];
    holder[key] = list.filter(isKept);
    const isEmptied = list.length > 0 && holder[key].length === 0;
    const hasLost = holder[key].length < list.length;
    if (holder[key].length === 0) delete holder[key];
    return !(isEmptied && hasLost);
  };
  without(request, groupKey, (group) =>
    without(group, scopeKey, (scope) =>
      without(scope, itemKey, (item) => !pair[1](item, group.resource, scope.scope)),
    ),
  );
  return request;
}

// Guarantees: what is left on the wire by a condition is what is left when the request is decoded by
// protobufjs, filtered by hand and encoded.
for (const [name, { context, groups, pairs }] of Object.entries(cases)) {
  const signal = name as keyof typeof cases;
  test(`${signal}: filtering on the wire equals filtering what is decoded`, () => {
    const built = fc.nat(1_000).map((seed) => buildRequest(signal, { seed, resources: 2 }));
    const request = fc.oneof(built, arbitraryRequest(signal));
    fc.assert(
      fc.property(request, fc.constantFrom<Pair>(...pairs), (bytes, pair) => {
        const list = new ConditionList([compileCondition(pair[0], context)], "propagate", () => {
          assert.fail("every condition here has an answer");
        });
        const decider = new ConditionDecider(signal, new Map([[context, list]]));
        decider.enter(bytes);
        const remaining = dropItems(signal, bytes, decider);
        const left = remaining === undefined ? bytes : Buffer.concat(remaining.chunks);
        const expected = filtered(decodeRequest(signal, bytes), groups, pair);
        assert.deepEqual(decodeRequest(signal, left), expected);
        const dropped = countItems(signal, bytes) - countItems(signal, left);
        assert.equal(dropped, remaining?.droppedItems ?? 0);
      }),
      { numRuns: 300 },
    );
  });
}
