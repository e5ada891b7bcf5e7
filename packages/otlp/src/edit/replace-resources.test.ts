import assert from "node:assert/strict";
import test from "node:test";
import { arbitraryRequest, buildRequest, decodeRequest } from "@inode-gateway/testkit";
import fc from "fast-check";
import type { AttributeScalar } from "../attribute/attribute-value.js";
import { writeAttribute } from "../attribute/write-attribute.js";
import { checkRequest } from "../check/check-request.js";
import { type Signal, signals } from "../signal.js";
import { WireWriter } from "../wire/wire-writer.js";
import { type AttributeEdit, editResource } from "./edit-resource.js";
import { replaceResources } from "./replace-resources.js";

const grown = new Map([["container.id", "c".repeat(64)]]);

test("a request whose Resources all stay is reported as unchanged", () => {
  const request = buildRequest("logs", { resources: 3 });
  let calls = 0;
  const replaced = replaceResources(request, () => {
    calls++;
    return undefined;
  });
  assert.equal(replaced, undefined);
  assert.equal(calls, 3);
});

test("a replaced Resource costs two chunks, and the items are shared with the request", () => {
  const request = buildRequest("traces", { itemsPerScope: 100 });
  const chunks = replaceResources(request, setter(grown));
  assert.equal(chunks?.length, 2);
  assert.equal(chunks?.[1]?.buffer, request.buffer);
  assert.ok((chunks?.[0]?.length ?? 0) < 1000);
});

// Scenario: three Resources, of which only the one in the middle changes.
test("neighbours of a changed Resource keep their bytes", () => {
  const request = buildRequest("metrics", { resources: 3 });
  let calls = 0;
  const chunks = replaceResources(request, (bytes, start, end) =>
    ++calls === 2 ? editResource(bytes, start, end, { set: grown }) : undefined,
  );
  assert.equal(chunks?.length, 3);
  const counts = resourcesOf("metrics", Buffer.concat(chunks ?? [])).map((each) => each.length);
  assert.deepEqual(counts, [11, 12, 11]);
  assert.deepEqual(chunks?.[0], request.subarray(0, chunks?.[0]?.length));
});

test("a missing Resource is shown as an empty range and put in front", () => {
  const request = group((writer) => writer.stringField(3, "https://example.com/schema"));
  const chunks = replaceResources(request, (bytes, start, end) => {
    assert.equal(start, end);
    return editResource(bytes, start, end, { set: grown });
  });
  const expected = group((writer) => {
    writeResource(writer, [["container.id", "c".repeat(64)]]);
    writer.stringField(3, "https://example.com/schema");
  });
  assert.deepEqual(Buffer.concat(chunks ?? []), Buffer.from(expected));
});

test("several resource fields are shown joined and replaced by one, in the place of the first", () => {
  const request = group((writer) => {
    writer.stringField(3, "u");
    writeResource(writer, [["a", 1]]);
    writer.varintField(99, 1);
    writeResource(writer, [
      ["b", 2],
      ["a", 3],
    ]);
  });
  const chunks = replaceResources(request, setter(new Map([["a", 4]])));
  const expected = group((writer) => {
    writer.stringField(3, "u");
    writeResource(writer, [
      ["a", 4],
      ["b", 2],
    ]);
    writer.varintField(99, 1);
  });
  assert.deepEqual(Buffer.concat(chunks ?? []), Buffer.from(expected));
});

test("a Resource may be replaced by an empty one", () => {
  const request = buildRequest("traces", { itemsPerScope: 1 });
  const chunks = replaceResources(request, () => new Uint8Array());
  const [resource] = resourcesOf("traces", Buffer.concat(chunks ?? []));
  assert.deepEqual(resource, []);
});

test("lengths that grow from one byte to two, and from two to three, are written right", () => {
  for (const size of [1, 60, 100, 119, 120, 121, 16_200, 16_250, 16_300, 20_000]) {
    const request = group((writer) => writeResource(writer, [["a", 1]]));
    const value = "v".repeat(size);
    const chunks = replaceResources(request, setter(new Map([["a", value]])));
    const expected = group((writer) => writeResource(writer, [["a", value]]));
    assert.deepEqual(Buffer.concat(chunks ?? []), Buffer.from(expected));
  }
});

interface Attribute {
  readonly key?: string;
  readonly value?: object;
}

interface DecodedGroup {
  readonly resource?: { readonly attributes?: readonly Attribute[] };
}

/** What becomes of the existing keys of a Resource, one after another, again and again. */
const fates = fc.array(fc.constantFrom("set", "setIfAbsent", "remove", "leave"), { minLength: 1 });

for (const signal of signals) {
  test(`splicing into any request of ${signal} says what decoding and editing says`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), fates, (request, choices) => {
        const before = decodeRequest(signal, request);
        const edit = chooseEdit(before, choices);
        const chunks = replaceResources(request, (bytes, start, end) =>
          editResource(bytes, start, end, edit),
        );
        const after = Buffer.concat(chunks ?? [request]);
        checkRequest(signal, after);
        assert.deepEqual(decodeRequest(signal, after), editDecoded(before, edit));
        assert.ok(chunks === undefined || chunks.every((chunk) => chunk.length > 0));
      }),
      { numRuns: 250 },
    );
  });
}

function chooseEdit(decoded: object, choices: readonly string[]): Required<AttributeEdit> {
  const set = new Map<string, AttributeScalar>([["fresh.set", 1.5]]);
  const setIfAbsent = new Map<string, AttributeScalar>([["fresh.absent", ["a"]]]);
  const remove = new Set<string>(["fresh.remove"]);
  let index = 0;
  for (const group of groupsOf(decoded)) {
    for (const { key = "" } of group.resource?.attributes ?? []) {
      const choice = choices[index++ % choices.length];
      if (choice === "set") set.set(key, `value ${index}`);
      else if (choice === "setIfAbsent") setIfAbsent.set(key, index % 2 === 0);
      else if (choice === "remove") remove.add(key);
    }
  }
  return { set, setIfAbsent, remove };
}

function editDecoded(decoded: object, edit: Required<AttributeEdit>): object {
  const [name = ""] = Object.keys(decoded).filter((key) => key.startsWith("resource_"));
  if (name === "") return decoded;
  const groups = groupsOf(decoded).map((group) => ({
    ...group,
    resource: {
      ...group.resource,
      attributes: editAttributes(group.resource?.attributes ?? [], edit),
    },
  }));
  return { ...decoded, [name]: groups };
}

function editAttributes(
  attributes: readonly Attribute[],
  { set, setIfAbsent, remove }: Required<AttributeEdit>,
): Attribute[] {
  const result = new Map<number, Attribute>();
  const places = new Map<string, number>();
  attributes.forEach((attribute, index) => {
    const { key = "" } = attribute;
    const value = set.get(key);
    if (value !== undefined) {
      const place = places.get(key) ?? index;
      result.set(place, { key, value: anyValue(value) });
      places.set(key, place);
    } else if (!remove.has(key)) {
      result.set(index, attribute);
      places.set(key, index);
    }
  });
  const edited = [...result.entries()].sort(([one], [other]) => one - other);
  const appended = [...set, ...setIfAbsent]
    .filter(([key], index, all) => all.findIndex(([other]) => other === key) === index)
    .filter(([key]) => !places.has(key))
    .map(([key, value]) => ({ ...(key === "" ? {} : { key }), value: anyValue(value) }));
  return [...edited.map(([, attribute]) => withoutEmptyKey(attribute)), ...appended];
}

function withoutEmptyKey({ key, ...rest }: Attribute): Attribute {
  return key === undefined || key === "" ? rest : { key, ...rest };
}

function anyValue(value: AttributeScalar): object {
  if (typeof value === "string") return { string_value: value };
  if (typeof value === "boolean") return { bool_value: value };
  if (typeof value === "object") return { array_value: { values: value.map(anyValue) } };
  return { double_value: Number(value) };
}

function groupsOf(decoded: object): readonly DecodedGroup[] {
  const entry = Object.entries(decoded).find(([key]) => key.startsWith("resource_"));
  return (entry?.[1] ?? []) as readonly DecodedGroup[];
}

function resourcesOf(signal: Signal, request: Uint8Array): (readonly Attribute[])[] {
  return groupsOf(decodeRequest(signal, request)).map((each) => each.resource?.attributes ?? []);
}

function setter(set: ReadonlyMap<string, AttributeScalar>) {
  return (bytes: Uint8Array, start: number, end: number) =>
    editResource(bytes, start, end, { set });
}

function group(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  const mark = writer.startMessage(1);
  write(writer);
  writer.endMessage(mark);
  return writer.finish();
}

function writeResource(
  writer: WireWriter,
  attributes: readonly (readonly [string, AttributeScalar])[],
): void {
  const mark = writer.startMessage(1);
  for (const [key, value] of attributes) writeAttribute(writer, 1, key, value);
  writer.endMessage(mark);
}
