import assert from "node:assert/strict";
import test from "node:test";
import {
  arbitraryRequest,
  buildRequest,
  decodeRequest,
  itemsOfRequest,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { encodeAnyValue, encodeDoubleValue } from "../attribute/write-attribute.js";
import { checkRequest } from "../check/check-request.js";
import { countItems } from "../count/count-items.js";
import type { Signal } from "../signal.js";
import { RequestView } from "../views/request-view.js";
import { WireWriter } from "../wire/wire-writer.js";
import { AttributeList } from "./attribute-list.js";
import type { SpliceTarget } from "./request-splice.js";
import { type ItemFate, type ItemRewriter, rewriteItems } from "./rewrite-items.js";

const signals = ["traces", "metrics", "logs"] as const;

// From the request down to the item, by field name.
const paths: Readonly<Record<(typeof signals)[number], readonly (readonly string[])[]>> = {
  traces: [["resource_spans"], ["scope_spans"], ["spans"]],
  logs: [["resource_logs"], ["scope_logs"], ["log_records"]],
  metrics: [
    ["resource_metrics"],
    ["scope_metrics"],
    ["metrics"],
    ["gauge", "sum", "histogram", "exponential_histogram", "summary"],
    ["data_points"],
  ],
};

interface Attribute {
  readonly key?: string;
  readonly value?: object;
}

type Message = { [name: string]: unknown };

/** Sets a fixed key on an item, overwrites every second key and removes every third. */
class ListRewriter implements ItemRewriter {
  readonly #list = new AttributeList();

  item(
    bytes: Uint8Array,
    start: number,
    end: number,
    attributesField: number,
    target: SpliceTarget,
  ): ItemFate {
    const list = this.#list;
    list.load(bytes, start, end, attributesField);
    const { length } = list;
    for (let position = 0; position < length; position++) {
      if (position % 3 === 2) list.remove(position);
      else if (position % 2 === 1) list.setValue(position, encodeAnyValue("changed"));
    }
    list.add(Buffer.from("added"), encodeDoubleValue(1));
    list.writeTo(target);
    return "replace";
  }
}

function editDecoded(message: Message, path: readonly (readonly string[])[]): Message {
  const [names, ...below] = path;
  if (names === undefined) {
    const attributes = ((message["attributes"] ?? []) as Attribute[])
      .map((attribute, position) =>
        position % 2 === 1 ? { ...attribute, value: { string_value: "changed" } } : attribute,
      )
      .filter((_, position) => position % 3 !== 2);
    return {
      ...message,
      attributes: [...attributes, { key: "added", value: { double_value: 1 } }],
    };
  }
  const edited: Message = { ...message };
  for (const name of names) {
    const child = message[name];
    if (Array.isArray(child)) edited[name] = child.map((each) => editDecoded(each, below));
    else if (child !== undefined) edited[name] = editDecoded(child as Message, below);
  }
  return edited;
}

for (const signal of signals) {
  test(`attributes of any request of ${signal} are edited as after decoding`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), (request) => {
        const rewritten = rewriteItems(signal, request, new ListRewriter());
        const bytes = Buffer.concat(rewritten?.chunks ?? [request]);
        checkRequest(signal, bytes);
        const expected = editDecoded(decodeRequest(signal, request), paths[signal]);
        assert.deepEqual(decodeRequest(signal, bytes), expected);
        assert.ok(rewritten?.chunks.every((chunk) => chunk.byteLength > 0) ?? true);
      }),
      { numRuns: 250 },
    );
  });

  test(`of any request of ${signal}, exactly the items that are dropped are missing`, () => {
    const fates = fc.array(fc.boolean(), { minLength: 1 });
    fc.assert(
      fc.property(arbitraryRequest(signal), fates, (request, choices) => {
        let index = 0;
        let dropped = 0;
        const rewritten = rewriteItems(signal, request, {
          item: () => {
            if (choices[index++ % choices.length] !== true) return "keep";
            dropped++;
            return "drop";
          },
        });
        const bytes = Buffer.concat(rewritten?.chunks ?? [request]);
        checkRequest(signal, bytes);
        assert.equal(rewritten?.droppedItems ?? 0, dropped);
        assert.equal(countItems(signal, bytes), countItems(signal, request) - dropped);
        const before = itemsOfRequest(signal, request);
        for (const item of itemsOfRequest(signal, bytes)) assert.ok(before.includes(item));
      }),
      { numRuns: 250 },
    );
  });

  test(`a request of ${signal} in which every item is kept is reported as unchanged`, () => {
    const request = buildRequest(signal, { resources: 2, itemsPerScope: 5 });
    assert.equal(rewriteItems(signal, request, { item: () => "keep" }), undefined);
  });
}

test("scopes and Resources go with their last item, the neighbours keep their bytes", () => {
  const request = buildRequest("traces", {
    resources: 3,
    scopesPerResource: 2,
    itemsPerScope: 20,
  });
  let resource = -1;
  const rewritten = rewriteItems("traces", request, {
    enterResource: () => ++resource >= 0,
    item: () => (resource === 1 ? "drop" : "keep"),
  });
  const groups = [...new RequestView(request).resources()];
  const expected = groups.filter((_, index) => index !== 1).map(({ end, start }) => [start, end]);
  const kept = Buffer.concat(rewritten?.chunks ?? []);
  for (const [start, end] of expected) {
    assert.ok(kept.includes(Buffer.from(request.subarray(start, end))));
  }
  assert.equal([...new RequestView(kept).resources()].length, 2);
  assert.equal(rewritten?.droppedItems, 40);
  assert.ok(rewritten?.chunks.every((chunk) => chunk.buffer === request.buffer));
});

test("when everything is dropped, no bytes are left", () => {
  const rewritten = rewriteItems("logs", buildRequest("logs"), { item: () => "drop" });
  assert.deepEqual(rewritten, { chunks: [], droppedItems: 10 });
});

test("long unchanged ranges are shared, short ones copied", () => {
  const request = buildRequest("traces", { itemsPerScope: 100 });
  let index = 0;
  const list = new AttributeList();
  const rewritten = rewriteItems("traces", request, {
    item: (bytes, start, end, field, target) => {
      if (index++ !== 50) return "keep";
      list.load(bytes, start, end, field);
      list.add(Buffer.from("k"), encodeAnyValue("v"));
      list.writeTo(target);
      return "replace";
    },
  });
  const shared = rewritten?.chunks.filter((chunk) => chunk.buffer === request.buffer) ?? [];
  assert.equal(shared.length, 2);
  const sharedBytes = shared.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  assert.ok(sharedBytes > request.byteLength - 3_000, `${sharedBytes} of ${request.byteLength}`);
});

test("what a rewriter does not enter stays, and profiles are left alone", () => {
  const request = buildRequest("metrics", { itemsPerScope: 4 });
  const item = (): ItemFate => assert.fail("was entered");
  for (const enter of ["enterResource", "enterScope", "enterMetric"] as const) {
    assert.equal(rewriteItems("metrics", request, { item, [enter]: () => false }), undefined);
  }
  const signal: Signal = "profiles";
  assert.equal(rewriteItems(signal, request, { item }), undefined);
});

test("fields of an attribute that OTLP does not define survive another value", () => {
  const writer = new WireWriter();
  const attribute = writer.startMessage(9);
  writer.varintField(99, 1);
  writer.stringField(1, "k");
  writer.bytesField(2, encodeAnyValue("old"));
  writer.stringField(77, "kept");
  writer.endMessage(attribute);
  const span = writer.finish();
  const list = new AttributeList();
  list.load(span, 0, span.length, 9);
  list.setValue(list.find(Buffer.from("k")), encodeAnyValue("a longer value than before"));
  const pieces: Uint8Array[] = [];
  list.writeTo({
    keep: (start, end) => pieces.push(span.subarray(start, end)),
    insert: (bytes, start = 0, end = bytes.byteLength) =>
      pieces.push(Uint8Array.from(bytes.subarray(start, end))),
    insertHeader: (fieldNumber, length) => {
      const header = new WireWriter();
      header.bytesField(fieldNumber, new Uint8Array(length));
      pieces.push(header.finish().subarray(0, header.byteLength - length));
    },
  });
  const expected = new WireWriter();
  const mark = expected.startMessage(9);
  expected.varintField(99, 1);
  expected.stringField(1, "k");
  expected.bytesField(2, encodeAnyValue("a longer value than before"));
  expected.stringField(77, "kept");
  expected.endMessage(mark);
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(expected.finish()));
});
