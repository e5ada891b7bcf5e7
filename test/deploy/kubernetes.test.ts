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
  readonly securityContext: object;
  readonly volumeMounts?: readonly object[];
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
  };
}

const folder = "deploy/kubernetes/";
const kustomization = parse(readText(`${folder}kustomization.yaml`)) as {
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
};
const resources = kustomization.resources.flatMap((file) =>
  parseAllDocuments(readText(folder + file)).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS() as Resource;
  }),
);

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
    assert.deepEqual(
      kustomization.images.map(({ name, newTag }) => [name, newTag]),
      [["inode-gateway", version]],
    );
  });

  for (const kind of ["Deployment", "DaemonSet"]) {
    const { pod, container } = podOf(kind);
    const config = configInRepository(container.args) ?? "";

    test(`the ${kind} runs without any privilege`, () => {
      assert.deepEqual(pod.securityContext, {
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
      const { data = {} } = resource("ConfigMap");
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
    const { pod, container } = podOf("Deployment");
    const [program, seconds] = container.lifecycle?.preStop.exec.command ?? [];
    assert.equal(program, "sleep");
    const leftMs = (pod.terminationGracePeriodSeconds - Number(seconds)) * 1_000;
    assert.ok(leftMs >= shutdownTimeoutMs, `${leftMs} ms are left`);
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
