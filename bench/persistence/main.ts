// What a queue on disk costs: append, read and remove through `file_storage`.
// Run: node bench/dist/persistence/main.js [--folder FOLDER] (about 40 s; the folder chooses the disk)
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { buildRequest } from "@inode-gateway/testkit";
import { measureLog } from "./measure-log.js";

const { values } = parseArgs({ options: { folder: { type: "string", default: tmpdir() } } });

const records: readonly [string, Uint8Array][] = [512, 10].map((items) => {
  const record = buildRequest("traces", { itemsPerScope: items, attributesPerItem: 3, seed: 1 });
  return [`${items} spans, ${record.byteLength} bytes`, record];
});

console.log(`records through one log in ${values.folder}`);
const columns = ["record", "fsync", "at once", "records/s", "MB/s", "append ms", "CPU-us"];
console.log(columns.map((title, index) => title.padEnd(index === 0 ? 26 : 10)).join(""));
for (const [title, record] of records) {
  for (const fsync of [true, false]) {
    for (const concurrency of [1, 16, 128]) {
      const figures = await measureLog({ folder: values.folder, fsync, concurrency, record });
      const row = [
        String(fsync),
        String(concurrency),
        figures.recordsPerSecond.toFixed(0),
        (figures.bytesPerSecond / 1e6).toFixed(1),
        figures.appendMs.toFixed(2),
        figures.cpuUs.toFixed(1),
      ];
      console.log(title.padEnd(26) + row.map((cell) => cell.padEnd(10)).join(""));
    }
  }
}
