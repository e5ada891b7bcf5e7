import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ContainerRegistry, createRedisRegistry } from "@inode-gateway/registry";
import {
  CgroupTree,
  hostCgroup2Path,
  type RedisServer,
  randomContainerId,
  startRedis,
  waitUntil,
} from "@inode-gateway/testkit";

const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const program = join(repository, "packages/reporter/bin/inode-reporter.js");

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The executable as a process of its own, its logs and its end. */
class Executable {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  output = "";
  errors = "";

  constructor(t: TestContext, command: string, args: readonly string[]) {
    this.process = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.process.stdout?.on("data", (data) => {
      this.output += String(data);
    });
    this.process.stderr?.on("data", (data) => {
      this.errors += String(data);
    });
    this.ended = once(this.process, "close").then(([code]) => code as number | null);
    t.after(async () => {
      this.process.kill("SIGKILL");
      await this.ended;
    });
  }

  get logs(): readonly LogLine[] {
    return this.errors
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  logged(msg: string): LogLine | undefined {
    return this.logs.find((line) => line.msg === msg);
  }

  async running(): Promise<LogLine> {
    await waitUntil(
      () =>
        this.logged("inode-reporter is running") !== undefined || this.process.exitCode !== null,
      { limitMs: 15_000, description: "inode-reporter is running" },
    );
    const line = this.logged("inode-reporter is running");
    assert.ok(line, this.errors);
    return line;
  }

  async stop(): Promise<number | null> {
    this.process.kill("SIGTERM");
    return this.ended;
  }
}

const anyPort = [
  "--set",
  "health.endpoint=127.0.0.1:0",
  "--set",
  "telemetry.metrics.endpoint=127.0.0.1:0",
];

function run(t: TestContext, ...args: readonly string[]): Executable {
  return new Executable(t, process.execPath, [program, ...args]);
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "inode-reporter-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function redisWithReader(t: TestContext): Promise<[RedisServer, ContainerRegistry]> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const reader = createRedisRegistry({ endpoint: redis.endpoint, negativeCacheMs: 0 });
  t.after(() => reader.stop());
  await reader.start();
  return [redis, reader];
}

async function resolves(reader: ContainerRegistry, path: string, id: string): Promise<boolean> {
  const [answer] = await reader.lookup([{ bootId, inode: statSync(path).ino }]);
  return answer?.outcome === "found" && answer.record.containerId === id;
}

test("it publishes to Redis, answers for its health and metrics, and stops on SIGTERM", async (t) => {
  const [redis, reader] = await redisWithReader(t);
  const cgroups = CgroupTree.create();
  t.after(() => cgroups.dispose());
  const first = randomContainerId();
  const early = cgroups.make("docker", first);
  const file = join(folder(t), "reporter.yaml");
  writeFileSync(
    file,
    `reporter: { cgroup_root: ${cgroups.path}, hierarchy: v2, node_name: worker-1 }
registry: { redis: { endpoint: "${redis.endpoint}" } }
`,
  );
  const executable = run(t, "--config", file, ...anyPort);
  const { health, metrics } = await executable.running();
  await waitUntil(() => resolves(reader, early, first));
  const second = randomContainerId();
  const later = cgroups.make("docker", second, "container");
  await waitUntil(() => resolves(reader, later, second));

  const answer = await fetch(`http://${String(health)}/`);
  assert.equal(answer.status, 200);
  const page = await (await fetch(`http://${String(metrics)}/metrics`)).text();
  assert.match(page, /^inode_reporter_containers 2$/m);
  assert.match(page, /^inode_reporter_registry_available 1$/m);
  assert.match(page, /^inode_reporter_process_memory_rss \d+$/m);
  assert.match(page, /^inode_reporter_publish_latency_seconds_bucket\{le="0.05"\} \d+$/m);

  assert.equal(await executable.stop(), 0);
  assert.deepEqual(
    executable.logs.slice(-2).map(({ msg }) => msg),
    ["stopping", "stopped"],
  );
});

test("a registry that is away is said once, and no reason not to run", async (t) => {
  const cgroups = CgroupTree.create();
  t.after(() => cgroups.dispose());
  const executable = run(
    t,
    "--set",
    `reporter.cgroup_root=${cgroups.path}`,
    "--set",
    "registry.redis.endpoint=redis://127.0.0.1:1",
    ...anyPort,
  );
  const { health } = await executable.running();
  const away = "the registry does not answer, so changes are kept until it does";
  await waitUntil(() => executable.logged(away) !== undefined);
  const answer = await fetch(`http://${String(health)}/`);
  assert.equal(answer.status, 503);
  assert.match(String(((await answer.json()) as { reason: string }).reason), /registry/);
  assert.equal((await fetch(`http://${String(health)}/live`)).status, 200);
  assert.equal(await executable.stop(), 0);
});

test("wrong use is exit code 2 and names what is wrong; nothing is started", async (t) => {
  const cases = [
    [
      ["--confg", "x"],
      /unknown option --confg, did you mean --config\?\nTry: inode-reporter --help/,
    ],
    [["--set", "reporter.sweep_intervall=3s"], /reporter: .*"?sweep_intervall"?.*sweep_interval/],
    [["--set", "registry.redis.endpoint=redis"], /registry::redis::endpoint: must be redis:/],
    [["--set", "health.endpoint=localhost"], /health::endpoint: must be host:port/],
    [["--set", "health.endpoint=h:65536"], /health::endpoint: must be host:port/],
    [["--set", "registry.redis.cache_max_entries=5"], /cache_max_entries/],
    [["--config", "/does/not/exist.yaml"], /\/does\/not\/exist\.yaml/],
  ] as const;
  await Promise.all(
    cases.map(async ([args, pattern]) => {
      const executable = run(t, ...args);
      assert.equal(await executable.ended, 2, args.join(" "));
      assert.match(executable.errors, pattern);
      assert.equal(executable.output, "");
    }),
  );
});

test("what cannot be started is exit code 1, with the reason in the log", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const cases = [
    [["--set", "reporter.cgroup_root=/does/not/exist"], /`cgroup_root` \/does\/not\/exist/],
    [["--set", "reporter.boot_id_path=/dev/null"], /`boot_id_path` \/dev\/null/],
    [["--set", `health.endpoint=127.0.0.1:${port}`], /health endpoint cannot listen/],
    [["--set", `telemetry.metrics.endpoint=127.0.0.1:${port}`], /cannot listen/],
  ] as const;
  await Promise.all(
    cases.map(async ([args, pattern]) => {
      const executable = run(
        t,
        "--set",
        `reporter.cgroup_root=${hostCgroup2Path()}`,
        ...anyPort,
        ...args,
      );
      assert.equal(await executable.ended, 1, args.join(" "));
      const reason = executable.logged("inode-reporter cannot start")?.["reason"];
      assert.match(String(reason), pattern);
    }),
  );
});

test("help, version and validate print and end with 0", async (t) => {
  const help = run(t, "--help");
  assert.equal(await help.ended, 0);
  assert.match(help.output, /Exit codes/);
  const version = run(t, "--version");
  assert.equal(await version.ended, 0);
  assert.match(version.output, /^inode-reporter \d+\.\d+\.\d+\n$/);
  const validate = run(t, "validate", "--set", "reporter.sweep_interval=5s");
  assert.equal(await validate.ended, 0);
  assert.equal(validate.output, "the configuration is valid\n");
});

// Scenario: uid 65534 without any capability, no_new_privs, mount and cgroup namespaces of its own,
// the host's cgroup2 bound read-only, as a pod with one hostPath has it.
test("without privilege and with a read-only view it sees the tree, follows it and publishes", async (t) => {
  const [redis, reader] = await redisWithReader(t);
  const cgroups = CgroupTree.create();
  t.after(() => cgroups.dispose());
  const first = randomContainerId();
  const early = cgroups.make("docker", first);
  const own = cgroups.make("reporter");
  const root = folder(t);
  chmodSync(root, 0o755);
  for (const name of ["cgroup", "repository"]) mkdirSync(join(root, name));
  writeFileSync(join(root, "node"), "");
  // The checkout and Node may lie where only root may look: they are bound where everybody may.
  const enter = `
    echo $$ > '${own}/cgroup.procs'
    exec unshare --mount --cgroup --propagation private sh -e -c '
      bind() { mount --bind "$1" "$2" && mount -o remount,bind,ro,nosuid,nodev "$2"; }
      bind ${hostCgroup2Path()} ${root}/cgroup
      bind ${repository} ${root}/repository
      bind ${process.execPath} ${root}/node
      exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
        --bounding-set=-all --inh-caps=-all --ambient-caps=-all "$@"' _ "$@"`;
  const executable = new Executable(t, "sh", [
    "-e",
    "-c",
    enter,
    "_",
    join(root, "node"),
    join(root, "repository/packages/reporter/bin/inode-reporter.js"),
    "--set",
    `reporter.cgroup_root=${root}/cgroup`,
    "--set",
    `registry.redis.endpoint=${redis.endpoint}`,
    ...anyPort,
  ]);
  const { health } = await executable.running();
  const { pid } = executable.process;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    assert.match(status, new RegExp(`^${set}:\\t0+$`, "m"));
  }
  assert.match(status, /^NoNewPrivs:\t1$/m);
  for (const namespace of ["cgroup", "mnt"]) {
    const theirs = readlinkSync(`/proc/${pid}/ns/${namespace}`);
    assert.notEqual(theirs, readlinkSync(`/proc/self/ns/${namespace}`));
  }
  assert.match(readFileSync(`/proc/${pid}/mountinfo`, "utf8"), new RegExp(` ${root}/cgroup ro,`));

  await waitUntil(() => resolves(reader, early, first));
  const second = randomContainerId();
  const later = cgroups.make("docker", second, "container");
  await waitUntil(() => resolves(reader, later, second), { description: "events arrive" });
  const body = (await (await fetch(`http://${String(health)}/`)).json()) as Record<string, unknown>;
  assert.equal(body["hierarchy"], "v2");
  assert.equal(body["unwatched_directories"], 0);
  assert.equal(await executable.stop(), 0);
});

// Scenario: a user namespace of its own, in which the kernel allows four watches and later more.
test("with too few inotify watches it sweeps instead, names the setting, and recovers", async (t) => {
  const [redis, reader] = await redisWithReader(t);
  const cgroups = CgroupTree.create();
  t.after(() => cgroups.dispose());
  for (let index = 0; index < 5; index++) cgroups.make("docker", randomContainerId());
  const limit = "/proc/sys/user/max_inotify_watches";
  const control = join(folder(t), "raise");
  // The limit can only be changed from inside: a helper there waits for the file.
  const enter = `
    echo 4 > ${limit}
    (until [ -e ${control} ]; do sleep 0.05; done; echo 1000 > ${limit}) &
    exec "$@"`;
  const executable = new Executable(t, "unshare", [
    "--user",
    "--map-root-user",
    "sh",
    "-e",
    "-c",
    enter,
    "_",
    process.execPath,
    program,
    "--set",
    `reporter.cgroup_root=${cgroups.path}`,
    "--set",
    "reporter.fallback_sweep_interval=50ms",
    "--set",
    `registry.redis.endpoint=${redis.endpoint}`,
    ...anyPort,
  ]);
  const { health } = await executable.running();
  const error = executable.logs.find(({ level }) => level === "error");
  assert.equal(error?.["code"], "ENOSPC");
  assert.match(String(error?.["advice"]), /sysctl -w fs\.inotify\.max_user_watches=/);
  const unwatched = async () => {
    const body = (await (await fetch(`http://${String(health)}/`)).json()) as Record<
      string,
      number
    >;
    return body["unwatched_directories"];
  };
  assert.equal(await unwatched(), 3, "seven directories, four watches");

  const id = randomContainerId();
  const later = cgroups.make("docker", id, "container");
  await waitUntil(() => resolves(reader, later, id), { description: "the sweep found it" });
  assert.equal(executable.logs.filter(({ level }) => level === "error").length, 1, "said once");

  writeFileSync(control, "");
  await waitUntil(async () => (await unwatched()) === 0, { description: "watched again" });
  await waitUntil(() => executable.logged("every directory is watched again") !== undefined);
  assert.equal(await executable.stop(), 0);
});
