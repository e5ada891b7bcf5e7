import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  loadConfiguration,
  parseComponentId,
  parseDuration,
  plainCopy,
} from "@inode-gateway/config";
import { parse } from "yaml";
import { codeBlocks } from "./code-blocks.js";
import { tableRows } from "./markdown-table.js";
import { readText } from "./repository.js";

const page = readText("docs/configuration.md");

/** What the page says is set in the environment. */
const environment = { REDIS_HOST: "redis", QUEUE: "500" };

function sectionBehind(heading: string): string {
  const start = page.indexOf(`\n${heading}\n`);
  assert.notEqual(start, -1, `docs/configuration.md has ${heading}`);
  return page.slice(start + heading.length + 2).split(/^#/m, 1)[0] ?? "";
}

function unquoted(cell: string): string {
  return cell.replaceAll("`", "");
}

suite("docs/configuration.md is right about", () => {
  const examples = page.split("<!-- example -->").slice(1);
  assert.ok(examples.length >= 2);
  for (const [index, example] of examples.entries()) {
    test(`example ${index + 1}`, async () => {
      const [text = ""] = example.split(/^#/m, 1);
      const blocks = codeBlocks(text);
      const result = blocks.pop();
      const configs = blocks.filter(({ language }) => language === "yaml");
      const sets = blocks
        .filter(({ language }) => language === "sh")
        .flatMap((block) => [...block.text.matchAll(/--set (\S+)/g)].map(([, set = ""]) => set));
      assert.ok(configs.length > 0 && result !== undefined);
      const tree = await loadConfiguration({
        configs: configs.map((block) => `yaml:${block.text}`),
        sets,
        environment,
      });
      assert.deepEqual(
        plainCopy(tree.root, () => undefined),
        parse(result.text),
      );
      assert.deepEqual(tree.warnings, []);
    });
  }

  test("durations", () => {
    const rows = tableRows(sectionBehind("### Durations"));
    assert.ok(rows.length >= 5);
    for (const [written = "", milliseconds = ""] of rows) {
      const ms = parseDuration(unquoted(written));
      assert.equal(typeof ms === "number" ? String(ms) : "refused", milliseconds, written);
    }
  });

  test("IDs", () => {
    const rows = tableRows(sectionBehind("### IDs"));
    assert.ok(rows.length >= 5);
    for (const [id = "", accepted = ""] of rows) {
      assert.equal("problem" in parseComponentId(unquoted(id)) ? "no" : "yes", accepted, id);
    }
  });
});
