import { type WireWriter, writeAnyValue, writeAttribute } from "@inode-gateway/otlp";
import { httpAttributes, pick, randomBytes, randomTime } from "./item-values.js";

const severities: readonly (readonly [number: number, text: string])[] = [
  [9, "INFO"],
  [13, "WARN"],
  [17, "ERROR"],
];

/** Writes one log record with a text body into field 2 of a ScopeLogs. */
export function writeLogRecord(
  writer: WireWriter,
  random: () => number,
  attributeCount: number = 6,
): void {
  const time = randomTime(random);
  const severity = pick(random, severities);
  const record = writer.startMessage(2);
  writer.fixed64Field(1, time);
  writer.varintField(2, severity[0]);
  writer.stringField(3, severity[1]);
  const order = Math.floor(random() * 1e6);
  writeAnyValue(
    writer,
    5,
    `order ${order} was accepted after the payment provider had answered within its deadline of 3 s`,
  );
  for (const [key, value] of httpAttributes(random, attributeCount)) {
    writeAttribute(writer, 6, key, value);
  }
  writer.fixed32Field(8, 1);
  writer.bytesField(9, randomBytes(random, 16));
  writer.bytesField(10, randomBytes(random, 8));
  writer.fixed64Field(11, time + 1_000_000n);
  writer.endMessage(record);
}
