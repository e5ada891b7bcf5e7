import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { formatTable, withoutControls } from "./text-table.js";

async function tableOf(
  head: readonly string[],
  rows: Iterable<readonly string[]>,
): Promise<string[]> {
  const pages: string[] = [];
  for await (const page of formatTable(head, rows)) pages.push(page);
  return pages;
}

suite("text table", () => {
  test("columns are as wide as their widest cell, and no line ends with spaces", async () => {
    assert.deepEqual(
      await tableOf(
        ["A", "LONGER", "C"],
        [
          ["1234", "x", ""],
          ["1", "y", "z"],
        ],
      ),
      ["A     LONGER  C\n1234  x\n1     y       z\n"],
    );
  });

  test("without rows there is the head alone", async () => {
    assert.deepEqual(await tableOf(["A", "B"], []), ["A  B\n"]);
  });

  test("a long table comes in pages of which no row is lost or doubled", async () => {
    for (const count of [998, 999, 1_000, 1_999, 2_000, 2_500]) {
      const rows = Array.from({ length: count }, (_, index) => [String(index), "x"]);
      const pages = await tableOf(["N", "X"], rows);
      assert.equal(pages.length, 1 + Math.floor((count + 1) / 1_000));
      const lines = pages.join("").trimEnd().split("\n");
      assert.deepEqual(
        lines.slice(1).map((line) => line.split(/ +/)[0]),
        rows.map(([number]) => number),
      );
    }
  });

  test("a page is never narrower than those before it", async () => {
    const rows = Array.from({ length: 2_000 }, (_, index) => [
      index === 5 ? "wide cell" : "n",
      "x",
    ]);
    const pages = await tableOf(["A", "B"], rows);
    assert.ok(pages[1]?.startsWith("n          x\n"));
  });

  test("control characters of others are shown, not obeyed", async () => {
    assert.equal(withoutControls("a\u001b[31m\nb\t\u0085é"), "a\\u001b[31m\\u000ab\\u0009\\u0085é");
    assert.deepEqual(await tableOf(["A"], [["x\ny"]]), ["A\nx\\u000ay\n"]);
  });
});
