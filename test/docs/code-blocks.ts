/** One fenced block of a Markdown document. */
export interface CodeBlock {
  /** Behind the opening fence, such as `yaml`; empty without one. */
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

/** Every fenced block of a Markdown document, without the indentation of its fence. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { indent: number; fence: string; language: string; line: number } | undefined;
  let lines: string[] = [];
  for (const [index, line] of markdown.split("\n").entries()) {
    const [, indent = "", fence = "", language = ""] = /^( *)(`{3,})(\S*)\s*$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence === "") continue;
      open = { indent: indent.length, fence, language, line: index + 1 };
      lines = [];
    } else if (fence.startsWith(open.fence) && language === "") {
      blocks.push({ language: open.language, text: `${lines.join("\n")}\n`, line: open.line });
      open = undefined;
    } else {
      lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
    }
  }
  if (open !== undefined) throw new Error(`the block of line ${open.line} does not end`);
  return blocks;
}

/** Every indented block of a Markdown document, without its indentation. */
export function indentedBlocks(markdown: string): string[] {
  const blocks = withoutCodeBlocks(markdown).matchAll(/(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+/g);
  return [...blocks].map(([block]) => block.replaceAll(/^ {4}/gm, ""));
}

/** A Markdown document without its fenced blocks. */
export function withoutCodeBlocks(markdown: string): string {
  return markdown.replaceAll(/^( *)(`{3,})[^`\n]*\n[\s\S]*?^ *\2`* *$/gm, "");
}
