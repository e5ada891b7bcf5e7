/** Rows that are measured together; wider cells further down widen what follows only. */
const rowsPerPage = 1_000;

/**
 * A table for people, page by page: left-aligned columns two spaces apart, one line a row. Any number
 * of rows takes the memory of one page.
 *
 * Control characters are written as `\u001b`: what a table shows was written by others, and a
 * terminal would obey it.
 */
export async function* formatTable(
  head: readonly string[],
  rows: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
): AsyncGenerator<string> {
  const widths = head.map(() => 0);
  let page: (readonly string[])[] = [head];
  for await (const row of rows) {
    page.push(row.map(withoutControls));
    if (page.length < rowsPerPage) continue;
    yield formatPage(page, widths);
    page = [];
  }
  yield formatPage(page, widths);
}

/** Text of others, made safe for a terminal: control characters as `\u001b`. */
export function withoutControls(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Raises `widths` to what the page needs. */
function formatPage(page: readonly (readonly string[])[], widths: number[]): string {
  for (const row of page) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return page
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
