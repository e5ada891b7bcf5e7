import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { startRedis, waitUntil } from "@inode-gateway/testkit";
import { readText, rootFolder } from "../docs/repository.js";
import { portsOf } from "./deployed-configs.js";
import { readDockerfile } from "./dockerfile.js";

const dockerfiles = ["deploy/Dockerfile", "deploy/sample-application/Dockerfile"];

interface Manifest {
  readonly workspaces: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readText(path)) as Manifest;
}

/** Folders below `packages/` that one of the executables needs at run time. */
function neededPackages(): ReadonlySet<string> {
  const needed = new Set<string>();
  const add = (name: string): void => {
    if (needed.has(name)) return;
    needed.add(name);
    for (const other of Object.keys(
      readManifest(`packages/${name}/package.json`).dependencies ?? {},
    ))
      if (other.startsWith("@inode-gateway/")) add(other.slice("@inode-gateway/".length));
  };
  add("gateway");
  add("reporter");
  return needed;
}

/** The commands of the build that shape what the image keeps: all but npm's and its like. */
function shapingCommands(): string[] {
  return readDockerfile("deploy/Dockerfile")
    .instructions.filter(({ name, value }) => name === "RUN" && !value.startsWith("ln "))
    .flatMap(({ value }) => value.split(" && "))
    .filter((command) => !/^(npm|npx) /.test(command));
}

/** A folder with what the image keeps of this build, made by the commands of deploy/Dockerfile. */
function imageFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "inode-gateway-image-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["packages", "configs"]) {
    cpSync(rootFolder + name, join(folder, name), {
      recursive: true,
      filter: (path) => !path.endsWith("/node_modules"),
    });
  }
  const lock = JSON.parse(readText("package-lock.json")) as {
    readonly packages: Readonly<
      Record<string, { readonly dev?: boolean; readonly link?: boolean }>
    >;
  };
  for (const [path, { dev, link }] of Object.entries(lock.packages)) {
    // Nested ones come with the folder they are nested in.
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev === true || link === true) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (existsSync(rootFolder + path)) symlinkSync(rootFolder + path, join(folder, path));
  }
  mkdirSync(join(folder, "node_modules/@inode-gateway"), { recursive: true });
  for (const name of neededPackages()) {
    symlinkSync(`../../packages/${name}`, join(folder, "node_modules/@inode-gateway", name));
  }
  execFileSync("sh", ["-e", "-c", shapingCommands().join("\n")], { cwd: folder });
  return folder;
}

/** Starts the gateway of an image's folder with a queue on disk, and stops it again. */
async function startsWithQueuesOnDisk(folder: string, gateway: string): Promise<void> {
  const config = {
    extensions: { file_storage: { directory: `${folder}/queues`, create_directory: true } },
    receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } },
    exporters: {
      otlp_grpc: { endpoint: "127.0.0.1:1", sending_queue: { storage: "file_storage" } },
    },
    service: {
      extensions: ["file_storage"],
      telemetry: { metrics: { level: "none" } },
      pipelines: { traces: { receivers: ["otlp"], exporters: ["otlp_grpc"] } },
    },
  };
  const args = [`packages/${gateway}`, "--config", `yaml:${JSON.stringify(config)}`];
  const child = spawn(process.execPath, args, { cwd: folder });
  let log = "";
  child.stderr.on("data", (text: Buffer) => {
    log += text.toString();
  });
  await waitUntil(() => log.includes("Everything is ready") || child.exitCode !== null, {
    limitMs: 30_000,
    description: "a gateway with a queue on disk",
  });
  child.kill("SIGTERM");
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, log);
  assert.ok(existsSync(`${folder}/queues/queues.mdb`));
}

for (const path of dockerfiles) {
  suite(path, () => {
    const { baseImage, user, instructions } = readDockerfile(path);

    test("is based on the Node of .nvmrc", () => {
      assert.match(baseImage, new RegExp(`^node:${readText(".nvmrc").trim()}-[a-z]+-slim$`));
      for (const { name, value } of instructions) {
        if (name === "FROM") assert.match(value, /^\$\{NODE_IMAGE\}( AS build)?$/);
      }
    });

    test("ends as a numbered user that is not root", () => {
      assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
    });
  });
}

suite("deploy/Dockerfile", () => {
  const { instructions, entrypoint, command } = readDockerfile("deploy/Dockerfile");

  test("starts the gateway with a configuration that exists", () => {
    assert.deepEqual(entrypoint, ["inode-gateway"]);
    assert.deepEqual(command, ["--config", "/app/configs/gateway.yaml"]);
    assert.ok(existsSync(`${rootFolder}configs/gateway.yaml`));
  });

  test("names every port of the configurations", () => {
    const exposed = instructions
      .find(({ name }) => name === "EXPOSE")
      ?.value.split(" ")
      .map(Number);
    const all = ["gateway", "reporter"].flatMap((name) => [...portsOf(`configs/${name}.yaml`)]);
    assert.deepEqual(
      exposed,
      all.sort((a, b) => a - b),
    );
  });

  test("drops no package that an executable needs, and keeps no other", () => {
    const dropped = shapingCommands()
      .flatMap((each) => (each.startsWith("rm ") ? each.split(" ") : []))
      .flatMap((path) => /^packages\/([^/]+)$/.exec(path)?.[1] ?? []);
    const all = execFileSync("ls", [`${rootFolder}packages`], { encoding: "utf8" }).split("\n");
    const kept = all.filter((name) => name !== "" && !dropped.includes(name));
    assert.deepEqual(kept, [...neededPackages()].sort());
  });

  test("gets every manifest that npm ci compares with the lock file", () => {
    const letIn = readText(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const manifests = readManifest("package.json").workspaces.map((workspace) =>
      workspace.endsWith("/*") ? workspace.slice(0, -2) : `${workspace}/package.json`,
    );
    for (const path of ["package.json", "package-lock.json", ".npmrc", "configs", ...manifests]) {
      assert.ok(letIn.includes(path), path);
    }
  });

  test("locks the library of queues on disk for both processors, and leaves out no optional one", () => {
    const lock = JSON.parse(readText("package-lock.json")) as {
      readonly packages: Readonly<Record<string, { dev?: boolean; optional?: boolean }>>;
    };
    for (const processor of ["x64", "arm64"]) {
      const { dev, optional } = lock.packages[`node_modules/@lmdb/lmdb-linux-${processor}`] ?? {};
      assert.deepEqual([dev, optional], [undefined, true], processor);
    }
    for (const { value } of instructions) assert.doesNotMatch(value, /optional/);
  });

  // Scenario: the commands of the Dockerfile on a copy of this build, with the packages of npm that
  // are not for development, and a real Redis, which the registry gives its Lua files.
  test("keeps all that both executables load, and none of the sources", async (t) => {
    const folder = imageFolder(t);
    await using redis = await startRedis();
    const env = { PATH: process.env["PATH"], REDIS_ENDPOINT: redis.endpoint };
    const run = (name: string, args: readonly string[]) =>
      execFileSync(process.execPath, [`packages/${name}`, ...args], {
        cwd: folder,
        encoding: "utf8",
        env,
        timeout: 30_000,
      });
    const { version } = JSON.parse(readText("packages/gateway/package.json")) as {
      readonly version: string;
    };
    const gateway = "gateway/bin/inode-gateway.js";
    const reporter = "reporter/bin/inode-reporter.js";
    assert.equal(run(gateway, ["--version"]), `inode-gateway version ${version}\n`);
    assert.equal(run(reporter, ["--version"]), `inode-reporter ${version}\n`);
    assert.match(run(gateway, ["validate", "--config", "configs/standalone.yaml"]), /valid/);
    assert.match(run(reporter, ["validate", "--config", "configs/reporter.yaml"]), /valid/);
    const nodes = ["registry", "nodes", "--config", "configs/gateway.yaml"];
    assert.match(run(gateway, nodes), /BOOT ID/);
    await startsWithQueuesOnDisk(folder, gateway);
    const kept = execFileSync("find", ["packages", "-type", "f"], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.doesNotMatch(kept, /\.(ts|map|md|tsbuildinfo)$|tsconfig/m);
    assert.match(kept, /\.lua$/m);
  });
});
