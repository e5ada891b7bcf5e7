import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import descriptor, { type IFileDescriptorProto } from "protobufjs/ext/descriptor.js";

const repository = new URL("../../../../", import.meta.url);
const cacheFolder = fileURLToPath(new URL(".cache/proto-definitions/", repository));
const reader = fileURLToPath(
  new URL("test/conformance/proto-definitions/read-descriptors.py", repository),
);

/**
 * Packages whose generated code carries the specification's own definitions, by their file names.
 *
 * Published by the owners of those definitions, and not read by anything of ours but this test.
 */
const packages: Readonly<Record<string, string>> = {
  "opentelemetry-proto==1.45.2": "opentelemetry_proto-1.45.2-",
  "googleapis-common-protos==1.76.0": "googleapis_common_protos-1.76.0-",
  "protobuf==7.36.2": "protobuf-7.36.2-",
};

/** Definition files of those packages, by path such as `google/rpc/status.proto`. */
export function publishedDescriptors(): ReadonlyMap<string, IFileDescriptorProto> {
  const wheels = Object.entries(packages).map(([requirement, prefix]) =>
    downloadWheel(requirement, prefix),
  );
  const lines = execFileSync("python3", [reader, ...wheels], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  const files = new Map<string, IFileDescriptorProto>();
  for (const line of lines.trim().split("\n")) {
    const bytes = Buffer.from(line, "base64");
    const file = descriptor.FileDescriptorProto.decode(bytes) as object as IFileDescriptorProto;
    assert.ok(file.name, "a definition file has a name");
    files.set(file.name, file);
  }
  return files;
}

function downloadWheel(requirement: string, prefix: string): string {
  mkdirSync(cacheFolder, { recursive: true });
  const cached = findWheel(prefix);
  if (cached !== undefined) return cached;
  execFileSync(
    "python3",
    ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", requirement],
    { cwd: cacheFolder, timeout: 120_000, stdio: ["ignore", "ignore", "inherit"] },
  );
  const downloaded = findWheel(prefix);
  assert.ok(downloaded, `pip download ${requirement} left no ${prefix}*.whl in ${cacheFolder}`);
  return downloaded;
}

function findWheel(prefix: string): string | undefined {
  if (!existsSync(cacheFolder)) return undefined;
  const name = readdirSync(cacheFolder).find(
    (file) => file.startsWith(prefix) && file.endsWith(".whl"),
  );
  return name === undefined ? undefined : `${cacheFolder}${name}`;
}
