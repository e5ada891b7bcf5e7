import { WireWriter, writeAttribute } from "@inode-gateway/otlp";
import { compileCondition } from "./compile-condition.js";
import type { ContextName } from "./path-fields.js";
import { TelemetryCursor } from "./telemetry-cursor.js";

/** Writes one message into a new buffer. */
export function message(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  write(writer);
  return writer.finish();
}

/** A Resource named `checkout` in a group with a schema URL. */
const resourceItems = message((group) => {
  const resource = group.startMessage(1);
  writeAttribute(group, 1, "service.name", "checkout");
  writeAttribute(group, 1, "replicas", 3);
  group.varintField(2, 7);
  group.endMessage(resource);
  group.stringField(3, "https://schema/1");
});

const scopeItems = message((group) => {
  const scope = group.startMessage(1);
  group.stringField(1, "http");
  group.stringField(2, "1.2.3");
  writeAttribute(group, 3, "library", "undici");
  group.endMessage(scope);
  group.stringField(3, "https://schema/2");
});

const span = message((writer) => {
  writer.bytesField(1, Buffer.from("0102030405060708090a0b0c0d0e0f10", "hex"));
  writer.bytesField(2, Buffer.from("a1a2a3a4a5a6a7a8", "hex"));
  writer.stringField(3, "rojo=1");
  writer.stringField(5, "GET /users");
  writer.varintField(6, 2);
  writer.fixed64Field(7, 1_700_000_000_000_000_001n);
  writer.fixed64Field(8, 1_700_000_000_500_000_001n);
  writeAttribute(writer, 9, "http.status", 200);
  writeAttribute(writer, 9, "http.route", "/users");
  writeAttribute(writer, 9, "sampled", true);
  writeAttribute(writer, 9, "big", 9_007_199_254_740_993n);
  writeAttribute(writer, 9, "tags", ["a", "b"]);
  writeTyped(writer, "ratio", (value) => value.doubleField(4, 0.5));
  writeTyped(writer, "whole", (value) => value.doubleField(4, 200));
  writeTyped(writer, "blob", (value) => value.bytesField(7, Buffer.from("0102", "hex")));
  writeTyped(writer, "empty", () => undefined);
  writeTyped(writer, "map", (value) => {
    const list = value.startMessage(6);
    writeAttribute(value, 1, "inner", "deep");
    writeAttribute(value, 1, "number", 4);
    value.endMessage(list);
  });
  writer.varintField(10, 5);
  const status = writer.startMessage(15);
  writer.stringField(2, "broken");
  writer.varintField(3, 2);
  writer.endMessage(status);
  writer.fixed32Field(16, 257);
});

const event = message((writer) => {
  writer.fixed64Field(1, 42n);
  writer.stringField(2, "exception");
  writeAttribute(writer, 3, "exception.type", "TypeError");
});

const log = message((writer) => {
  writer.fixed64Field(1, 5n);
  writer.varintField(2, 9);
  writer.stringField(3, "INFO");
  const body = writer.startMessage(5);
  writer.stringField(1, "user logged in");
  writer.endMessage(body);
  writeAttribute(writer, 6, "user", "ann");
  writer.fixed64Field(11, 6n);
  writer.stringField(12, "login");
});

const sum = message((writer) => {
  writer.stringField(1, "requests");
  writer.stringField(2, "all of them");
  writer.stringField(3, "{request}");
  const data = writer.startMessage(7);
  const point = writer.startMessage(1);
  writer.fixed64Field(3, 11n);
  writer.fixed64Field(6, 12n);
  writeAttribute(writer, 7, "route", "/a");
  writer.varintField(8, 1);
  writer.endMessage(point);
  writer.varintField(2, 2);
  writer.varintField(3, 1);
  writer.endMessage(data);
});

const point = message((writer) => {
  writer.fixed64Field(2, 10n);
  writer.fixed64Field(3, 11n);
  writer.fixed64Field(6, 12n);
  writeAttribute(writer, 7, "route", "/a");
  writer.varintField(8, 1);
});

const histogramPoint = message((writer) => {
  writer.fixed64Field(4, 3n);
  writer.doubleField(5, 1.5);
  writeAttribute(writer, 9, "route", "/h");
  writer.varintField(10, 1);
});

function writeTyped(writer: WireWriter, key: string, write: (value: WireWriter) => void): void {
  const attribute = writer.startMessage(9);
  writer.stringField(1, key);
  const value = writer.startMessage(2);
  write(writer);
  writer.endMessage(value);
  writer.endMessage(attribute);
}

/** Where a condition of the table tests is asked; `histogram` is a data point of that type. */
export type Place = Exclude<ContextName, "scope"> | "scope" | "histogram";

/** A cursor on the sample telemetry of one place. */
export function cursorAt(place: Place): TelemetryCursor {
  const cursor = new TelemetryCursor();
  cursor.enterResource(resourceItems, 0, resourceItems.length);
  cursor.enterScope(scopeItems, 0, scopeItems.length);
  const item = place === "log" ? log : place === "span" || place === "spanevent" ? span : sum;
  cursor.enterItem(item, 0, item.length);
  if (place === "spanevent") cursor.enterChild(event, 0, event.length, 11);
  if (place === "datapoint") cursor.enterChild(point, 0, point.length, 7);
  if (place === "histogram") cursor.enterChild(histogramPoint, 0, histogramPoint.length, 9);
  return cursor;
}

/** Whether a condition holds for the sample telemetry of one place. */
export function holds(text: string, place: Place = "span"): boolean {
  const context = place === "histogram" ? "datapoint" : place;
  return compileCondition(text, context).holds(cursorAt(place));
}
