import { type WireWriter, writeAttribute } from "@inode-gateway/otlp";
import { httpAttributes, pick, randomBytes, randomTime } from "./item-values.js";

/** Writes one span of a server or client into field 2 of a ScopeSpans. */
export function writeSpan(
  writer: WireWriter,
  random: () => number,
  attributeCount: number = 10,
): void {
  const start = randomTime(random);
  const span = writer.startMessage(2);
  writer.bytesField(1, randomBytes(random, 16));
  writer.bytesField(2, randomBytes(random, 8));
  writer.bytesField(4, randomBytes(random, 8));
  writer.stringField(5, pick(random, ["GET /cart/{id}", "POST /checkout", "GET /healthz"]));
  writer.varintField(6, pick(random, [2, 3]));
  writer.fixed64Field(7, start);
  writer.fixed64Field(8, start + BigInt(Math.floor(random() * 2e9)));
  for (const [key, value] of httpAttributes(random, attributeCount)) {
    writeAttribute(writer, 9, key, value);
  }
  const status = writer.startMessage(15);
  writer.varintField(3, 1);
  writer.endMessage(status);
  writer.fixed32Field(16, 0x101);
  writer.endMessage(span);
}
