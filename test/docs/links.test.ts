import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { suite, test } from "node:test";
import { withoutCodeBlocks } from "./code-blocks.js";
import { readText, repositoryFiles, rootFolder } from "./repository.js";

interface Link {
  /** From the root folder; the document itself for a link such as `#names`. */
  readonly path: string;
  readonly anchor: string;
}

/** Relative links of a document; those to other sites are nobody's business here. */
function relativeLinks(document: string): Link[] {
  const text = withoutCodeBlocks(readText(document)).replaceAll(/`[^`\n]*`/g, "code");
  return [...text.matchAll(/\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm)]
    .map(([, inline, reference]) => inline ?? reference ?? "")
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .map((target) => {
      const [path = "", anchor = ""] = target.split("#");
      const folder = posix.dirname(document);
      return { path: path === "" ? document : posix.join(folder, decodeURI(path)), anchor };
    });
}

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(document: string): Set<string> {
  const headings = withoutCodeBlocks(readText(document)).matchAll(/^#{1,6} +(.+?) *#* *$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

suite("relative links", () => {
  const documents = repositoryFiles(".md");
  assert.ok(documents.length > 20, "the documents were found");
  for (const document of documents) {
    test(`of ${document} lead somewhere`, () => {
      const broken = relativeLinks(document)
        .filter(({ path, anchor }) => {
          if (!existsSync(rootFolder + path)) return true;
          return anchor !== "" && path.endsWith(".md") && !anchorsOf(path).has(anchor);
        })
        .map(({ path, anchor }) => (anchor === "" ? path : `${path}#${anchor}`));
      assert.deepEqual(broken, []);
    });
  }
});
