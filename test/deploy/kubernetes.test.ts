import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { shutdownTimeoutMs } from "@inode-gateway/gateway";
import { parse, parseAllDocuments } from "yaml";
import { readText, repositoryFiles, rootFolder } from "../docs/repository.js";
import { configInRepository, portsOf, variablesOf } from "./deployed-configs.js";

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly configMapKeyRef?: { readonly name: string; readonly key: string };
    readonly secretKeyRef?: { readonly optional?: boolean };
  };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly Variable[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext: object;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly containers: readonly [Container];
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly volumes?: readonly object[];
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector: { readonly matchLabels?: object };
    readonly template?: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly volumeClaimTemplates?: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
    }[];
  };
}

interface Kustomization {
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
  readonly patches?: readonly { readonly target: { kind: string }; readonly patch: string }[];
}

const folder = "deploy/kubernetes/";
const kustomization = kustomizationOf(folder);
const resources = kustomization.resources.flatMap((file) => resourcesOf(folder + file));
const persistentFolder = "deploy/kubernetes-persistent/";
const persistent = kustomizationOf(persistentFolder);
resources.push(...resourcesOf(`${persistentFolder}gateway.yaml`));

function kustomizationOf(path: string): Kustomization {
  return parse(readText(`${path}kustomization.yaml`)) as Kustomization;
}

function resourcesOf(file: string): Resource[] {
  return parseAllDocuments(readText(file)).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS() as Resource;
  });
}

/** The text of a patch that the folder with queues on disk makes of a resource. */
function patchOf(kind: string): Resource & { readonly $patch?: string } {
  const found = persistent.patches?.find(({ target }) => target.kind === kind);
  assert.ok(found !== undefined, `a ${kind} is patched`);
  return parse(found.patch) as Resource;
}

/** Bytes of a Kubernetes quantity in Mi or Gi. */
function bytesOf(quantity: string): number {
  const [, number = "", unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  assert.notEqual(number, "", quantity);
  return Number(number) * (unit === "Gi" ? 1_073_741_824 : 1_048_576);
}

function resource(kind: string): Resource {
  const found = resources.find((each) => each.kind === kind);
  assert.ok(found !== undefined, `there is a ${kind}`);
  return found;
}

function podOf(kind: string): { readonly pod: PodSpec; readonly container: Container } {
  const pod = resource(kind).spec?.template?.spec;
  assert.ok(pod !== undefined && pod.containers.length === 1, kind);
  return { pod, container: pod.containers[0] };
}

function portNamed(container: Container, name: string): number | undefined {
  return container.ports.find((port) => port.name === name)?.containerPort;
}

suite("deploy/kubernetes", () => {
  test("its kustomization names every file, one namespace, and an image with a version", () => {
    const files = repositoryFiles(".yaml", folder).map((path) => path.slice(folder.length));
    assert.deepEqual(
      files.filter((file) => file !== "kustomization.yaml"),
      [...kustomization.resources].sort(),
    );
    for (const { kind, metadata } of resources) {
      const own = kind === "Namespace" ? metadata.name : metadata.namespace;
      assert.equal(own, kustomization.namespace, `${kind} ${metadata.name}`);
    }
    const { version } = JSON.parse(readText("package.json")) as { readonly version: string };
    for (const { images } of [kustomization, persistent]) {
      assert.deepEqual(
        images.map(({ name, newTag }) => [name, newTag]),
        [["inode-gateway", version]],
      );
    }
  });

  test("queues on disk: a StatefulSet in the place of the Deployment, for the same Service", () => {
    assert.deepEqual(persistent.resources, ["../kubernetes", "gateway.yaml"]);
    assert.equal(persistent.namespace, kustomization.namespace);
    const { $patch, kind, metadata } = patchOf("Deployment");
    assert.deepEqual([$patch, kind, metadata.name], ["delete", "Deployment", "inode-gateway"]);
    assert.deepEqual(
      resource("StatefulSet").spec?.selector.matchLabels,
      resource("Service").spec?.selector,
    );
  });

  test("queues on disk: a volume for each replica, where its configuration keeps them", () => {
    const { container } = podOf("StatefulSet");
    const [claim] = resource("StatefulSet").spec?.volumeClaimTemplates ?? [];
    const directory = container.env.find(({ name }) => name === "QUEUE_DIRECTORY")?.value;
    assert.deepEqual(container.volumeMounts, [
      { name: claim?.metadata.name, mountPath: directory },
    ]);
    const { extensions } = parse(readText("configs/persistent-gateway.yaml")) as {
      readonly extensions: { readonly file_storage: { readonly max_bytes: number } };
    };
    const volumeBytes = bytesOf(claim?.spec.resources.requests.storage ?? "");
    assert.ok(volumeBytes >= 2.4 * extensions.file_storage.max_bytes);
  });

  // The receiver's default of `max_in_flight_bytes` may arrive before a refusal takes effect.
  for (const kind of ["Deployment", "StatefulSet"]) {
    test(`the ${kind}'s memory limit fits its memory_limiter`, () => {
      const { container } = podOf(kind);
      const config = configInRepository(container.args) ?? "";
      const { processors } = parse(readText(config)) as {
        readonly processors: Readonly<Record<"memory_limiter", Readonly<Record<string, number>>>>;
      };
      const { limit_percentage = 0, spike_limit_percentage = 0 } = processors.memory_limiter;
      const limitBytes = bytesOf(container.resources.limits.memory);
      assert.ok((limitBytes * spike_limit_percentage) / 100 >= 268_435_456, "the spike");
      assert.ok(limit_percentage <= 80, "20 % for what C libraries and the kernel take");
      assert.ok(limit_percentage - spike_limit_percentage >= 50);
    });
  }

  for (const kind of ["Deployment", "StatefulSet", "DaemonSet"]) {
    const { pod, container } = podOf(kind);
    const config = configInRepository(container.args) ?? "";

    test(`the ${kind} runs without any privilege`, () => {
      const group = { fsGroup: 65532, fsGroupChangePolicy: "OnRootMismatch" };
      assert.deepEqual(pod.securityContext, {
        ...(kind === "StatefulSet" ? group : {}),
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      assert.equal(pod.automountServiceAccountToken, false);
      for (const key of ["hostPID", "hostNetwork", "hostIPC"]) assert.ok(!(key in pod), key);
    });

    test(`the ${kind} selects its own pods`, () => {
      const { selector, template } = resource(kind).spec ?? {};
      const labels = Object.entries(template?.metadata.labels ?? {});
      const wanted = Object.entries(selector?.matchLabels ?? {});
      assert.ok(wanted.length > 0);
      for (const [key, value] of wanted) {
        assert.ok(
          labels.some(([own, text]) => own === key && text === value),
          key,
        );
      }
    });

    test(`the ${kind} sets only variables its configuration reads, from keys that exist`, () => {
      assert.ok(existsSync(rootFolder + config), config);
      const known = variablesOf(config);
      const patched = kind === "StatefulSet" ? patchOf("ConfigMap").data : {};
      const data = { ...resource("ConfigMap").data, ...patched };
      for (const { name, valueFrom } of container.env) {
        assert.ok(known.has(name), `${config} reads ${name}`);
        const key = valueFrom?.configMapKeyRef?.key;
        assert.ok(key === undefined || key in data, key);
      }
      const secret = container.env.find(({ name }) => name === "REDIS_PASSWORD");
      assert.equal(secret?.valueFrom?.secretKeyRef?.optional, true);
    });

    test(`the ${kind} has exactly the ports of its configuration, and is probed on health`, () => {
      const own = container.ports.map(({ containerPort }) => containerPort);
      assert.deepEqual(
        own,
        [...portsOf(config)].sort((a, b) => a - b),
      );
      for (const { httpGet } of [container.readinessProbe, container.livenessProbe]) {
        assert.equal(httpGet.port, "health");
      }
      assert.equal(portNamed(container, "health"), kind === "DaemonSet" ? 13134 : 13133);
    });
  }

  test("the reporter mounts the cgroup tree, read-only, and nothing else", () => {
    const { pod, container } = podOf("DaemonSet");
    const root = container.env.find(({ name }) => name === "CGROUP_ROOT")?.value;
    assert.deepEqual(pod.volumes, [
      { name: "cgroup", hostPath: { path: "/sys/fs/cgroup", type: "Directory" } },
    ]);
    assert.deepEqual(container.volumeMounts, [{ name: "cgroup", mountPath: root, readOnly: true }]);
    assert.equal(podOf("Deployment").pod.volumes, undefined);
  });

  test("the reporter knows its node's name", () => {
    const { container } = podOf("DaemonSet");
    const variable = container.env.find(({ name }) => name === "NODE_NAME");
    assert.equal(variable?.valueFrom?.fieldRef?.fieldPath, "spec.nodeName");
    assert.ok(container.args.includes("reporter.host_name=$(NODE_NAME)"));
  });

  test("a reporter that lost Redis is not ready, and is not restarted for that", () => {
    const { readinessProbe, livenessProbe } = podOf("DaemonSet").container;
    assert.deepEqual([readinessProbe.httpGet.path, livenessProbe.httpGet.path], ["/", "/live"]);
  });

  test("a gateway has the time it takes to stop, after its pause before", () => {
    for (const kind of ["Deployment", "StatefulSet"]) {
      const { pod, container } = podOf(kind);
      const [program, seconds] = container.lifecycle?.preStop.exec.command ?? [];
      assert.equal(program, "sleep");
      const leftMs = (pod.terminationGracePeriodSeconds - Number(seconds)) * 1_000;
      assert.ok(leftMs >= shutdownTimeoutMs, `${kind}: ${leftMs} ms are left`);
    }
  });

  test("the Service and the disruption budget are the gateway's", () => {
    const wanted = resource("Deployment").spec?.selector.matchLabels;
    assert.deepEqual(resource("Service").spec?.selector, wanted);
    assert.deepEqual(resource("PodDisruptionBudget").spec?.selector.matchLabels, wanted);
    const { container } = podOf("Deployment");
    for (const { port, targetPort } of resource("Service").spec?.ports ?? []) {
      assert.equal(portNamed(container, targetPort), port);
    }
  });
});
