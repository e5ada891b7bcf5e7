import assert from "node:assert/strict";
import { codeBlocks } from "./code-blocks.js";
import { readText } from "./repository.js";

/** One message of docs/errors.md. */
interface DocumentedMessage {
  /** What an executable writes, with ports, paths and times as {@link comparable} has them. */
  readonly text: string;
  /** What follows: `exit code 2`, or `keeps running`. */
  readonly outcome: string;
}

/** The messages of docs/errors.md by their headings. */
export function documentedMessages(): ReadonlyMap<string, DocumentedMessage> {
  const [, page = ""] = readText("docs/errors.md").split("\n## Messages\n");
  const sections = page.split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [heading = ""] = section.split("\n", 1);
      const [block, ...more] = codeBlocks(section);
      assert.ok(block?.language === "text" && more.length === 0, `"${heading}" has one message`);
      const [, behind = ""] = section.split(/^```\n\n/m);
      const outcome = /^(Exit code \d|Keeps running)\./.exec(behind)?.[1]?.toLowerCase();
      assert.ok(outcome !== undefined, `"${heading}" says what follows right behind its message`);
      return [heading, { text: comparable(block.text), outcome }];
    }),
  );
}

/**
 * A message with what differs from run to run replaced: ports, times, and folders. White space is
 * one blank, none beside a comma of JSON: the page breaks long lines.
 */
export function comparable(text: string, folders: readonly string[] = []): string {
  let same = text;
  for (const folder of folders) same = same.replaceAll(folder, "<folder>");
  return same
    .replaceAll(/\/etc\/inode-gateway|\/host\/sys\/fs\/cgroup/g, "<folder>")
    .replaceAll(/\b(localhost|127\.0\.0\.1):\d+/g, "$1:<port>")
    .replaceAll(/\[\d{4}-\d\d-\d\dT[\d:.]+\]/g, "[<time>]")
    .replaceAll(/"interval":"[^"]+"/g, '"interval":"<time>"')
    .replaceAll(/\s+/g, " ")
    .replaceAll(/", "/g, '","')
    .trim();
}
