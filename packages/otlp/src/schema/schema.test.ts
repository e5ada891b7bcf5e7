import assert from "node:assert/strict";
import test from "node:test";
import { otlpDefinitions, requestType } from "@inode-gateway/testkit";
import type protobuf from "protobufjs";
import { signals } from "../signal.js";
import type { FieldSchema, MessageSchema } from "./message-schema.js";
import { requestSchemas } from "./requests.js";

const collected = new Map<string, MessageSchema>();
for (const signal of signals) collect(requestSchemas[signal]);

test("the request of every signal is the one that its service takes", () => {
  for (const signal of signals) {
    assert.equal(`.${requestSchemas[signal].name}`, requestType(signal).fullName);
  }
});

test("every message of the table has the fields of its definition file, and no others", () => {
  assert.equal(collected.size, 48);
  for (const schema of collected.values()) {
    const type = otlpDefinitions().lookupType(schema.name);
    const expected = type.fieldsArray.map(shapeOfDefinition);
    assert.deepEqual(schema.fields.map(shapeOfSchema).sort(byNumber), expected.sort(byNumber));
  }
});

test("every enum of the table has the names and numbers of its definition file", () => {
  let enums = 0;
  for (const schema of collected.values()) {
    for (const field of schema.fields) {
      if (field.enumType === undefined) continue;
      const { values } = otlpDefinitions().lookupEnum(field.enumType.name);
      assert.deepEqual(Object.fromEntries(field.enumType.values), { ...values });
      enums++;
    }
  }
  assert.equal(enums, 6);
});

test("identifiers of traces, spans and profiles are marked as hexadecimal, nothing else is", () => {
  for (const schema of collected.values()) {
    for (const field of schema.fields) {
      const size = /^(trace|profile)_id$/.test(field.name)
        ? 16
        : /^(parent_)?span_id$/.test(field.name)
          ? 8
          : undefined;
      assert.equal(field.hexIdBytes, size, `${schema.name}.${field.name}`);
    }
  }
});

test("fields are found by number, by name and by JSON key", () => {
  for (const schema of collected.values()) {
    for (const field of schema.fields) {
      assert.equal(schema.byNumber.get(field.number), field);
      assert.equal(schema.byName.get(field.name), field);
      assert.equal(schema.byJsonName.get(field.jsonName), field);
    }
  }
});

interface FieldShape {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  readonly type: string;
  readonly repeated: boolean;
  readonly packed: boolean;
  readonly oneof: string | undefined;
  readonly hasPresence: boolean;
}

function shapeOfSchema(field: FieldSchema): FieldShape {
  return {
    number: field.number,
    name: field.name,
    jsonName: field.jsonName,
    type: field.message?.name ?? field.enumType?.name ?? field.kind,
    repeated: field.repeated,
    packed: field.packed,
    oneof: field.oneof,
    hasPresence: field.hasPresence,
  };
}

function shapeOfDefinition(field: protobuf.Field): FieldShape {
  const isMessage = field.resolvedType !== null && "fields" in field.resolvedType;
  const isOptional = field.options?.["proto3_optional"] === true;
  return {
    number: field.id,
    name: field.name,
    jsonName: camelCase(field.name),
    type: field.resolvedType?.fullName.slice(1) ?? field.type,
    repeated: field.repeated,
    packed:
      field.repeated && field.packed && !["string", "bytes"].includes(field.type) && !isMessage,
    oneof: isOptional ? undefined : field.partOf?.name,
    hasPresence: !field.repeated && (isMessage || field.partOf !== null),
  };
}

function camelCase(name: string): string {
  const [first = "", ...rest] = name.split("_");
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function byNumber(one: FieldShape, other: FieldShape): number {
  return one.number - other.number;
}

function collect(schema: MessageSchema): void {
  if (collected.has(schema.name)) return;
  collected.set(schema.name, schema);
  for (const field of schema.fields) if (field.message !== undefined) collect(field.message);
}
