import { parseSection } from "@inode-gateway/config";
import type { ExtensionReference } from "@inode-gateway/contract";
import { z } from "zod";
import { type CheckedComponent, sectionOfKind } from "./checked-configuration.js";
import type { ConfiguredComponents } from "./configured-components.js";
import type { Findings } from "./findings.js";
import { notConfigured, repeated } from "./service-pipelines.js";

/**
 * Checks `service::extensions` and what used components refer to.
 *
 * @param used the components that pipelines name
 * @returns the listed extensions in the order of their start, whatever one refers to before it
 */
export function checkExtensions(
  section: unknown,
  used: readonly CheckedComponent[],
  configured: ConfiguredComponents,
  findings: Findings,
): readonly CheckedComponent[] {
  const path = ["service", "extensions"];
  const parsed = parseSection(z.array(z.string()), section ?? [], path);
  if ("problems" in parsed) {
    findings.problems.push(...parsed.problems);
    return [];
  }
  for (const id of repeated(parsed.value)) {
    findings.problem(path, `references extension ${JSON.stringify(id)} multiple times`);
  }
  const listed = new Set(parsed.value);
  const extensions: CheckedComponent[] = [];
  for (const id of listed) {
    if (!configured.extension.has(id)) {
      findings.problem(path, notConfigured("extension", id, configured.extension.keys()));
    }
    const extension = configured.extension.get(id);
    if (extension !== undefined) extensions.push(extension);
  }
  for (const component of [...used, ...extensions]) {
    checkReferences(component, listed, configured, findings);
  }
  return inStartOrder(extensions, findings);
}

function referencesOf({ factory, config }: CheckedComponent): readonly ExtensionReference[] {
  return factory.extensions?.(config) ?? [];
}

function checkReferences(
  component: CheckedComponent,
  listed: ReadonlySet<string>,
  configured: ConfiguredComponents,
  findings: Findings,
): void {
  for (const { extensionId, path } of referencesOf(component)) {
    const at = [sectionOfKind[component.factory.kind], component.id, ...path];
    if (!configured.extension.has(extensionId)) {
      const candidates = configured.extension.keys();
      findings.problem(at, notConfigured("extension", extensionId, candidates));
    } else if (!listed.has(extensionId)) {
      findings.problem(
        at,
        `references extension ${JSON.stringify(extensionId)} which is not listed in \`service::extensions\``,
      );
    }
  }
}

function inStartOrder(
  extensions: readonly CheckedComponent[],
  findings: Findings,
): readonly CheckedComponent[] {
  const byId = new Map(extensions.map((extension) => [extension.id, extension]));
  const ordered = new Set<CheckedComponent>();
  const way: string[] = [];
  const visit = (extension: CheckedComponent): void => {
    if (ordered.has(extension)) return;
    const start = way.indexOf(extension.id);
    if (start >= 0) {
      const cycle = [...way.slice(start), extension.id].map((id) => JSON.stringify(id));
      findings.problem(["extensions"], `cycle detected: ${cycle.join(" -> ")}`);
      return;
    }
    way.push(extension.id);
    for (const { extensionId } of referencesOf(extension)) {
      const needed = byId.get(extensionId);
      if (needed !== undefined) visit(needed);
    }
    way.pop();
    ordered.add(extension);
  };
  for (const extension of extensions) visit(extension);
  return [...ordered];
}
