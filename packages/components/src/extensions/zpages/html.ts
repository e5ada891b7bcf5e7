/** Text that is HTML already; made by {@link html} only. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: anything but {@link Html} is escaped. */
type Part = Html | string | number | readonly Part[];

/** Makes HTML of a template; what is put in is escaped, lists are joined. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = pieces[0] ?? "";
  for (const [index, part] of parts.entries()) text += written(part) + (pieces[index + 1] ?? "");
  return new Html(text);
}

/** Rows of a table that are shown; the rest is counted in a last row. */
export const ROWS_MAX = 500;

/** A table, cut off at {@link ROWS_MAX} rows. */
export function table(heads: readonly string[], rows: readonly (readonly Part[])[]): Html {
  const shown = rows.slice(0, ROWS_MAX);
  const more = rows.length - shown.length;
  return html`<table>
<tr>${heads.map((head) => html`<th>${head}</th>`)}</tr>
${shown.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}${
  more > 0 ? html`<tr><td colspan="${heads.length}">and ${more} more</td></tr>\n` : ""
}</table>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(written).join("");
  return String(part).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
