import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { childPath, inspectDirectory, listDirectories, nameAsText } from "./file-system.js";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "reporter-files-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("names are bytes: any of them is listed, inspected and read as text", (t) => {
  const folder = temporaryFolder(t);
  const names = [
    Buffer.from("plain"),
    Buffer.from("caf\u00e9"),
    Buffer.from([0x66, 0xff, 0xfe, 0x6f]),
    Buffer.from("new\nline"),
    Buffer.alloc(255, "a"),
  ];
  for (const name of names) mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), name]));

  const listed = listDirectories(folder) ?? [];
  assert.deepEqual(
    new Set(listed.map((name) => Buffer.from(name, "latin1").toString("hex"))),
    new Set(names.map((name) => name.toString("hex"))),
  );
  const texts = listed.map((name) => nameAsText(childPath(folder, name), name));
  assert.deepEqual(
    new Set(texts),
    new Set(["plain", "caf\u00e9", "f\ufffd\ufffdo", "new\nline", "a".repeat(255)]),
  );
  for (const name of listed) {
    const path = childPath(folder, name);
    assert.ok(inspectDirectory(path), nameAsText(path, name));
    assert.deepEqual(listDirectories(path), []);
    mkdirSync(childPath(path, "below"));
    assert.deepEqual(listDirectories(path), ["below"]);
    assert.ok(inspectDirectory(childPath(path, "below")), "a plain name below one of bytes");
  }
});

test("files and symbolic links are no directories, and what is gone is undefined", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "file"), "");
  symlinkSync("/", join(folder, "link"));
  assert.deepEqual(listDirectories(folder), []);
  assert.equal(inspectDirectory(join(folder, "file")), undefined);
  assert.equal(inspectDirectory(join(folder, "link")), undefined);
  assert.equal(inspectDirectory(join(folder, "gone")), undefined);
  assert.equal(inspectDirectory(join(folder, "file", "below")), undefined);
  assert.equal(listDirectories(join(folder, "gone")), undefined);
});
