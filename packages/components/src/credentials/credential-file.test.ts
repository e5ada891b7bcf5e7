import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createTestSettings, FakeClock, waitUntil } from "@inode-gateway/testkit";
import {
  CREDENTIAL_FILE_BYTES_MAX,
  CREDENTIAL_POLL_MS,
  CredentialFile,
} from "./credential-file.js";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "credentials-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function follow(t: TestContext, path: string) {
  const clock = new FakeClock();
  const settings = createTestSettings({ id: "auth", kind: "extension", clock });
  const used: string[] = [];
  const file = new CredentialFile(settings, {
    key: "filename",
    path,
    apply: (text) => {
      if (text.includes("broken")) throw new Error("line 1 is wrong");
      used.push(text);
    },
  });
  t.after(() => file.stop());
  const reloads = (outcome: string) =>
    settings.meter.value("inode_gateway_credential_reloads", {
      ...{ extension: "auth", key: "filename", outcome },
    }) ?? 0;
  /** Lets the next look begin and end. */
  const look = async () => {
    clock.advance(CREDENTIAL_POLL_MS);
    await waitUntil(() => clock.pendingTimers === 1);
  };
  return { file, used, settings, reloads, look, clock };
}

test("uses a file at the start and each time its content has changed", async (t) => {
  const path = join(makeFolder(t), "token");
  writeFileSync(path, "one");
  const rig = follow(t, path);
  await rig.file.start();
  await rig.look();
  assert.deepEqual(rig.used, ["one"], "nothing has changed");
  writeFileSync(path, "two");
  await rig.look();
  assert.deepEqual(rig.used, ["one", "two"]);
  const next = `${path}.next`;
  writeFileSync(next, "six");
  renameSync(next, path);
  await rig.look();
  assert.deepEqual(rig.used, ["one", "two", "six"]);
  assert.equal(rig.reloads("success"), 2);
});

// Scenario: a mounted Secret: the file is a link into `..data`, which is a link that is swapped.
test("sees the swap of a link above the file, as Kubernetes does it", async (t) => {
  const folder = makeFolder(t);
  for (const version of ["one", "two"]) {
    mkdirSync(join(folder, `..${version}`));
    writeFileSync(join(folder, `..${version}`, "token"), version);
  }
  symlinkSync("..one", join(folder, "..data"));
  symlinkSync("..data/token", join(folder, "token"));
  const rig = follow(t, join(folder, "token"));
  await rig.file.start();
  symlinkSync("..two", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await rig.look();
  assert.deepEqual(rig.used, ["one", "two"]);
});

test("the last good content goes on while the file is broken or gone, told once each", async (t) => {
  const path = join(makeFolder(t), "token");
  writeFileSync(path, "one");
  const rig = follow(t, path);
  await rig.file.start();
  writeFileSync(path, "broken secret");
  await rig.look();
  await rig.look();
  rmSync(path);
  await rig.look();
  await rig.look();
  assert.deepEqual(rig.used, ["one"]);
  assert.equal(rig.reloads("failure"), 2);
  const reasons = rig.settings.logger.records
    .filter(({ level }) => level === "error")
    .map(({ fields }) => fields["reason"]);
  assert.deepEqual(reasons, ["line 1 is wrong", "there is no such file"]);
  assert.equal(rig.settings.states.at(-1)?.state, "recoverable_error");
  writeFileSync(path, "one");
  await rig.look();
  assert.deepEqual(rig.used, ["one", "one"]);
  assert.equal(rig.settings.states.at(-1)?.state, "ok");
});

test("at the start what cannot be used is an error with the key and the file", async (t) => {
  const folder = makeFolder(t);
  const missing = join(folder, "missing");
  await assert.rejects(follow(t, missing).file.start(), {
    message: `\`filename\` ${missing}: there is no such file`,
  });
  await assert.rejects(follow(t, folder).file.start(), {
    message: `\`filename\` ${folder}: it is a directory`,
  });
  const broken = join(folder, "broken");
  writeFileSync(broken, "broken secret");
  await assert.rejects(follow(t, broken).file.start(), {
    message: `\`filename\` ${broken}: line 1 is wrong`,
  });
});

test("a named pipe is refused at once instead of waited for", async (t) => {
  const pipe = join(makeFolder(t), "pipe");
  execFileSync("mkfifo", [pipe]);
  await assert.rejects(follow(t, pipe).file.start(), {
    message: `\`filename\` ${pipe}: it is no file`,
  });
});

test("takes the largest file and refuses one byte more", async (t) => {
  const path = join(makeFolder(t), "token");
  writeFileSync(path, "x".repeat(CREDENTIAL_FILE_BYTES_MAX));
  await follow(t, path).file.start();
  writeFileSync(path, "x".repeat(CREDENTIAL_FILE_BYTES_MAX + 1));
  await assert.rejects(follow(t, path).file.start(), {
    message: `\`filename\` ${path}: it has 1048577 bytes, the limit is 1048576`,
  });
});

test("after it was stopped nothing is read any more", async (t) => {
  const path = join(makeFolder(t), "token");
  writeFileSync(path, "one");
  const rig = follow(t, path);
  await rig.file.start();
  rig.file.stop();
  writeFileSync(path, "two");
  await rig.clock.advanceAndSettle(10 * CREDENTIAL_POLL_MS);
  assert.deepEqual(rig.used, ["one"]);
  assert.equal(rig.clock.pendingTimers, 0);
});
