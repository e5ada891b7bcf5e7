import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// The dependency table of docs/architecture.md, "Packages": what each package may import of ours.
const mayImport: Readonly<Record<string, readonly string[]>> = {
  otlp: [],
  inode: [],
  config: [],
  grpc: [],
  contract: ["otlp"],
  pipeline: ["contract", "config"],
  registry: ["inode"],
  reporter: ["registry", "inode", "config", "grpc", "telemetry"],
  components: ["contract", "otlp", "config", "grpc", "registry", "inode", "reporter"],
  telemetry: ["contract"],
  "resource-detector": ["inode"],
  gateway: [
    "otlp",
    "inode",
    "config",
    "grpc",
    "contract",
    "pipeline",
    "registry",
    "reporter",
    "components",
    "telemetry",
  ],
  testkit: ["contract", "otlp", "registry"],
};

const root = fileURLToPath(new URL("../../", import.meta.url));
const packageNames = readdirSync(`${root}packages`).sort();

interface PackageManifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface ProjectFile {
  readonly references?: readonly { readonly path: string }[];
}

function readJson<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(`${root}${path}`, "utf8")) as Shape;
}

/** Source files of a package without its tests and what only they use (`*.rig.ts`), with their paths below `src/`. */
function sources(packageName: string): { readonly path: string; readonly text: string }[] {
  const folder = `${root}packages/${packageName}/src`;
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/\.(?:test|rig)\.ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(`${folder}/${path}`, "utf8") }));
}

function importedModules(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

test("every package stands in the dependency table", () => {
  assert.deepEqual(packageNames, Object.keys(mayImport).sort());
});

for (const name of packageNames) {
  const allowed = mayImport[name] ?? [];

  test(`${name} imports only what the dependency table allows`, () => {
    const found = new Set<string>();
    for (const { text } of sources(name)) {
      for (const module of importedModules(text)) {
        const ours = /^@inode-gateway\/([^/]+)/.exec(module)?.[1];
        if (ours !== undefined) found.add(ours);
      }
    }
    const forbidden = [...found].filter((other) => !allowed.includes(other));
    assert.deepEqual(
      forbidden,
      [],
      `${name} may import ${allowed.join(", ") || "nothing of ours"}`,
    );
  });

  test(`${name} declares the same packages to npm and to the compiler`, () => {
    const manifest = readJson<PackageManifest>(`packages/${name}/package.json`);
    const project = readJson<ProjectFile>(`packages/${name}/tsconfig.json`);
    const declared = Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => dependency.startsWith("@inode-gateway/"))
      .map((dependency) => dependency.slice("@inode-gateway/".length));
    const referenced = (project.references ?? []).map(({ path }) => path.replace("../", ""));
    assert.deepEqual(declared.sort(), referenced.sort());
    for (const dependency of declared) assert.ok(allowed.includes(dependency), dependency);
  });
}

test("a component never imports another component", () => {
  const kinds = /^(receivers|processors|exporters|extensions|connectors)\/([^/]+)\//;
  for (const { path, text } of sources("components")) {
    const own = kinds.exec(path);
    if (own === null) continue;
    for (const module of importedModules(text)) {
      if (!module.startsWith(".")) continue;
      const target = new URL(module, `file:///${path}`).pathname.slice(1);
      const other = kinds.exec(target);
      if (other === null) continue;
      assert.equal(`${other[1]}/${other[2]}`, `${own[1]}/${own[2]}`, `${path} imports ${module}`);
    }
  }
});

test("otlp, contract and the path grammar of inode do no I/O", () => {
  const withoutIo = [
    ...sources("otlp"),
    ...sources("contract"),
    ...sources("inode").filter(({ path }) => path.includes("path") || path.includes("segment")),
  ];
  assert.ok(withoutIo.length > 10);
  for (const { path, text } of withoutIo) {
    for (const module of importedModules(text)) {
      const isBuiltIn = module.startsWith("node:");
      assert.ok(!isBuiltIn || module === "node:buffer", `${path} imports ${module}`);
    }
  }
});

test("only an executable's main.ts touches the process and the console", () => {
  for (const name of packageNames) {
    for (const { path, text } of sources(name)) {
      if (path === "main.ts" || name === "testkit") continue;
      const found = /\bprocess\.(?:env|exit|argv|stdin|stdout|stderr)\b|\bconsole\.\w+\(/.exec(
        text,
      );
      assert.equal(found, null, `packages/${name}/src/${path} uses ${found?.[0]}`);
    }
  }
});

test("the pipeline engine names no component", () => {
  const types = readdirSync(`${root}packages/components/src`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^(receivers|processors|exporters)$/.test(entry.name))
    .flatMap((entry) => readdirSync(`${root}packages/components/src/${entry.name}`))
    .filter((folder) => folder.includes("-"))
    .map((folder) => folder.replaceAll("-", "_"));
  assert.ok(types.includes("inode_resolver"));
  for (const { path, text } of sources("pipeline")) {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    for (const type of types) assert.ok(!code.includes(type), `${path} names ${type}`);
  }
});
