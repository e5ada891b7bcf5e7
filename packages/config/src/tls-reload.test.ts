import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tlsFingerprint, tlsReloadIntervalMs } from "./tls-reload.js";

test("files are read again only when a key asks for it", () => {
  assert.equal(tlsReloadIntervalMs({}), undefined);
  assert.equal(tlsReloadIntervalMs({ reload_interval: 0 }), undefined);
  assert.equal(tlsReloadIntervalMs({ reload_interval: 100 }), 100);
  assert.equal(tlsReloadIntervalMs({ client_ca_file_reload: false }), undefined);
  assert.equal(tlsReloadIntervalMs({ client_ca_file_reload: true }), 10_000);
  assert.equal(tlsReloadIntervalMs({ client_ca_file_reload: true, reload_interval: 500 }), 500);
});

test("every way to change a file is seen, and none where nothing changed", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tls-reload-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = (...names: string[]) => join(folder, ...names);
  for (const version of ["v1", "v2"]) {
    await mkdir(path(version));
    await writeFile(path(version, "cert"), version);
  }
  // As Kubernetes mounts a secret: the file is a link through ..data, which is swapped as a whole.
  await symlink("v1", path("..data"));
  await symlink(join("..data", "cert"), path("cert"));
  const seen: string[] = [];
  const look = async () => {
    const config = { cert_file: path("cert"), client_ca_file: path("ca") };
    const fingerprint = await tlsFingerprint(config);
    assert.equal(await tlsFingerprint(config), fingerprint);
    assert.ok(!seen.includes(fingerprint), "the change was seen");
    seen.push(fingerprint);
  };
  await look();
  await symlink("v2", path("..data_tmp"));
  await rename(path("..data_tmp"), path("..data"));
  await look();
  await writeFile(path("ca"), "one");
  await look();
  await writeFile(path("next"), "two");
  await rename(path("next"), path("ca"));
  await look();
  await rm(path("cert"));
  await look();
});
