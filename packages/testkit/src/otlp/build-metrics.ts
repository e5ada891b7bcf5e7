import { type WireWriter, writeAttribute } from "@inode-gateway/otlp";
import { httpAttributes, pick, randomTime } from "./item-values.js";

const CUMULATIVE = 2;
const BUCKET_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Writes one metric with one data point, a gauge, sum or histogram, into field 2 of a ScopeMetrics. */
export function writeMetric(
  writer: WireWriter,
  random: () => number,
  attributeCount: number = 4,
): void {
  const type = pick(random, ["gauge", "sum", "histogram"] as const);
  const metric = writer.startMessage(2);
  writer.stringField(1, type === "histogram" ? "http.server.request.duration" : "process.memory");
  writer.stringField(3, type === "histogram" ? "s" : "By");
  const data = writer.startMessage({ gauge: 5, sum: 7, histogram: 9 }[type]);
  const point = writer.startMessage(1);
  const time = randomTime(random);
  writer.fixed64Field(2, time);
  writer.fixed64Field(3, time + 10_000_000_000n);
  if (type === "histogram") writeHistogramPoint(writer, random, attributeCount);
  else {
    writer.fixed64Field(6, BigInt(Math.floor(random() * 1e9)));
    for (const [key, value] of httpAttributes(random, attributeCount)) {
      writeAttribute(writer, 7, key, value);
    }
  }
  writer.endMessage(point);
  if (type !== "gauge") writer.varintField(2, CUMULATIVE);
  if (type === "sum") writer.varintField(3, 1);
  writer.endMessage(data);
  writer.endMessage(metric);
}

function writeHistogramPoint(
  writer: WireWriter,
  random: () => number,
  attributeCount: number,
): void {
  const counts = Array.from({ length: BUCKET_BOUNDS.length + 1 }, () => Math.floor(random() * 99));
  writer.fixed64Field(4, BigInt(counts.reduce((total, count) => total + count, 0)));
  writer.doubleField(5, random() * 1000);
  writer.bytesField(
    6,
    packed(counts, (view, offset, count) => view.setUint32(offset, count, true)),
  );
  writer.bytesField(
    7,
    packed(BUCKET_BOUNDS, (view, offset, bound) => view.setFloat64(offset, bound, true)),
  );
  for (const [key, value] of httpAttributes(random, attributeCount)) {
    writeAttribute(writer, 9, key, value);
  }
}

function packed(
  values: readonly number[],
  write: (view: DataView, offset: number, value: number) => void,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, index) => {
    write(view, index * 8, value);
  });
  return new Uint8Array(view.buffer);
}
