import type { BuildInfo, ComponentFactory, ComponentKind } from "@inode-gateway/contract";
import { stringify } from "yaml";

const kinds: readonly ComponentKind[] = [
  "receiver",
  "processor",
  "exporter",
  "connector",
  "extension",
];

/** What `inode-gateway components` prints, in the Collector's YAML form. */
export function listComponents(build: BuildInfo, factories: readonly ComponentFactory[]): string {
  const document: Record<string, unknown> = {
    buildinfo: { command: build.command, version: build.version },
  };
  for (const kind of kinds) {
    document[`${kind}s`] = factories
      .filter((factory) => factory.kind === kind)
      .map((factory) => describe(factory))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }
  return stringify(document);
}

function describe(factory: ComponentFactory) {
  const { type, aliases, stability } = factory;
  const stabilities =
    factory.kind === "extension"
      ? { extension: stability }
      : Object.fromEntries(factory.signals.map((signal) => [signal, stability]));
  return {
    name: type,
    ...(aliases === undefined ? {} : { aliases: [...aliases] }),
    stability: stabilities,
  };
}
