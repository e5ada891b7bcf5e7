import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { shutdownTimeoutMs } from "@inode-gateway/gateway";
import { parse } from "yaml";
import { readText, rootFolder } from "../docs/repository.js";
import { configInRepository, portsOf, variablesOf } from "./deployed-configs.js";
import { readDockerfile } from "./dockerfile.js";

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>> | readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly uts?: string;
}

const { services } = parse(readText("docker-compose.yml"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};

function service(name: string): Service {
  const found = services[name];
  assert.ok(found !== undefined, `docker-compose.yml has a service ${name}`);
  return found;
}

/** The configuration file that a service of our image runs with. */
function configOf({ command }: Service): string {
  const config = configInRepository(command ?? readDockerfile("deploy/Dockerfile").command);
  assert.ok(config !== undefined);
  return config;
}

suite("docker-compose.yml", () => {
  test("names only files that exist", () => {
    const paths = Object.values(services).flatMap(({ build, volumes }) => [
      ...(build === undefined ? [] : [`${build.context}/${build.dockerfile}`]),
      ...(volumes ?? []).filter((volume) => volume.startsWith("./")).map((v) => v.split(":")[0]),
    ]);
    paths.push(configOf(service("gateway")), configOf(service("reporter")));
    assert.equal(paths.length, 6);
    for (const path of paths) assert.ok(existsSync(`${rootFolder}${path}`), path);
  });

  test("waits only for services that exist", () => {
    for (const { depends_on: names = [] } of Object.values(services)) {
      for (const name of Array.isArray(names) ? names : Object.keys(names)) service(String(name));
    }
  });

  test("pins every image that is not built here", () => {
    for (const [name, { image, build }] of Object.entries(services)) {
      const isPinned = build === undefined ? /:\d+\.\d+[\w.-]*$/ : /:local$/;
      assert.match(image, isPinned, name);
    }
  });

  for (const name of ["gateway", "reporter", "sample-application"]) {
    test(`runs ${name} without any privilege`, () => {
      const { read_only, cap_drop, security_opt, ...rest } = service(name);
      assert.deepEqual(
        { read_only, cap_drop, security_opt },
        { read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] },
      );
      for (const key of ["privileged", "cap_add", "user", "pid", "network_mode", "devices"]) {
        assert.ok(!(key in rest), key);
      }
    });
  }

  test("gives the reporter the cgroup tree, read-only, and no other folder", () => {
    const { volumes, environment } = service("reporter");
    assert.deepEqual(volumes, [`/sys/fs/cgroup:${environment?.["CGROUP_ROOT"]}:ro`]);
    for (const name of ["gateway", "sample-application"]) {
      assert.equal(service(name).volumes, undefined, name);
    }
  });

  // A container's host name is new each time: its successor would be refused as another reporter.
  test("gives the reporter a name that outlives its container", () => {
    assert.equal(service("reporter").uts, "host");
  });

  for (const name of ["gateway", "reporter"]) {
    test(`sets only variables that the configuration of ${name} reads`, () => {
      const own = service(name);
      const known = variablesOf(configOf(own));
      const unknown = Object.keys(own.environment ?? {}).filter((key) => !known.has(key));
      assert.deepEqual(unknown, []);
      assert.equal(own.environment?.["LISTEN_ADDRESS"], "0.0.0.0");
    });

    test(`probes ${name} where its configuration answers`, () => {
      const own = service(name);
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(own.healthcheck?.test.join(" ") ?? "")?.[1]);
      assert.ok(portsOf(configOf(own)).has(port), String(port));
    });
  }

  test("leaves a gateway more time than it takes to stop", () => {
    const seconds = Number(/^(\d+)s$/.exec(service("gateway").stop_grace_period ?? "")?.[1]);
    assert.ok(seconds * 1_000 > shutdownTimeoutMs, `${seconds} s`);
  });

  test("publishes and balances exactly the ports that gateways receive on", () => {
    const balancer = readText("deploy/balancer.conf");
    const listening = [...balancer.matchAll(/^\s*listen (\d+);$/gm)].map(([, port]) => port);
    const behind = [...balancer.matchAll(/^\s*server gateway:(\d+) resolve;$/gm)].map(([, p]) => p);
    const published = (service("balancer").ports ?? []).map((pair) => pair.split(":"));
    assert.deepEqual(listening, ["4317", "4318"]);
    assert.deepEqual(behind, listening);
    assert.deepEqual(
      published,
      listening.map((port) => [port, port]),
    );
    for (const port of listening) assert.ok(portsOf("configs/gateway.yaml").has(Number(port)));
  });
});
