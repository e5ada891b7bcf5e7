// Prints one line a test file, every failure whole, and the counts at the end in the form of node's
// own spec reporter, which CI systems read.
import { relative } from "node:path";

/** A node:test reporter for long runs: quiet while tests pass, complete when one fails. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter from the default export only
export default async function* report(source) {
  const started = performance.now();
  const files = new Map();
  const counts = { tests: 0, pass: 0, fail: 0, skipped: 0, todo: 0 };
  const failures = [];
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") {
      if (type === "test:stderr") yield data.message;
      continue;
    }
    if (data.details?.type === "suite") continue;
    const file = relative(process.cwd(), data.file ?? "");
    const isFileItself = data.nesting === 0 && data.name === data.file;
    if (isFileItself && type === "test:pass") continue;
    const totals = files.get(file) ?? { passed: 0, failed: 0 };
    files.set(file, totals);
    counts.tests++;
    if (data.skip !== undefined && data.skip !== false) counts.skipped++;
    else if (data.todo !== undefined && data.todo !== false) counts.todo++;
    else if (type === "test:pass") counts.pass++;
    else counts.fail++;
    if (type === "test:pass") {
      totals.passed++;
    } else {
      totals.failed++;
      failures.push({ file, data });
      yield `✖ ${file}: ${data.name}\n${describe(data.details?.error)}\n`;
    }
  }
  for (const [file, { passed, failed }] of files) {
    yield `${failed > 0 ? "✖" : "✔"} ${file} (${passed} passed${failed > 0 ? `, ${failed} failed` : ""})\n`;
  }
  for (const { file, data } of failures) yield `✖ ${file}: ${data.name}\n`;
  yield `ℹ tests ${counts.tests}\nℹ pass ${counts.pass}\nℹ fail ${counts.fail}\n`;
  yield `ℹ skipped ${counts.skipped}\nℹ todo ${counts.todo}\n`;
  yield `ℹ duration_ms ${Math.round(performance.now() - started)}\n`;
}

function describe(error) {
  const cause = error?.cause ?? error;
  const text = cause?.stack ?? String(cause);
  return text.replace(/^/gm, "    ");
}
