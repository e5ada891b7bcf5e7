import {
  type ContainerRegistryProvider,
  memoryRegistry,
  redisRegistry,
} from "@inode-gateway/components";
import {
  ConfigurationError,
  type ConfigurationTree,
  parseComponentId,
  parseSection,
} from "@inode-gateway/config";
import type { ComponentSettings, Host } from "@inode-gateway/contract";
import type { ContainerRegistry } from "@inode-gateway/registry";

/** A registry that a command asks, outside any running gateway. */
export interface OpenedRegistry {
  /** ID of its extension. */
  readonly id: string;
  readonly registry: ContainerRegistry;
  close(): Promise<void>;
}

const registryFactories = [memoryRegistry, redisRegistry];

/** How long a command waits for a registry that is away. */
const availabilityTimeoutMs = 10_000;

/** How long a command takes to let go of a registry. */
const closeTimeoutMs = 5_000;

/**
 * Opens the registry extension of a configuration.
 *
 * @param wantedId the extension to open; without it the configuration must have exactly one
 * @param settingsFor makes the settings of an extension from its ID
 * @throws ConfigurationError when the configuration has no such registry, or cannot be understood
 * @throws Error when the registry cannot be reached in time, with its own reason
 */
export async function openRegistry(
  tree: ConfigurationTree,
  wantedId: string | undefined,
  settingsFor: (id: string) => ComponentSettings,
): Promise<OpenedRegistry> {
  const extensions = extensionsOf(tree);
  const id = chooseId([...extensions.keys()], wantedId);
  const section = extensions.get(id);
  const extension = createExtension(id, section, settingsFor(id));
  await extension.start(hostOfNothing);
  const registry = extension.containerRegistry;
  const close = () => extension.shutdown(performance.now() + closeTimeoutMs);
  try {
    await untilAvailable(registry, id);
  } catch (error) {
    await close();
    throw error;
  }
  return { id, registry, close };
}

function createExtension(
  id: string,
  section: unknown,
  settings: ComponentSettings,
): ContainerRegistryProvider {
  const path = ["extensions", id];
  if (typeOf(id) === "redis_registry") {
    const config = parsedValue(parseSection(redisRegistry.config, section, path));
    return redisRegistry.create(settings, config) as ContainerRegistryProvider;
  }
  const config = parsedValue(parseSection(memoryRegistry.config, section, path));
  if (config.file === undefined) {
    throw new ConfigurationError([
      {
        path: path.join("::"),
        message:
          "this registry lives in the memory of a running gateway and cannot be asked from here: " +
          "use a redis_registry, or set `file`",
      },
    ]);
  }
  return memoryRegistry.create(settings, config) as ContainerRegistryProvider;
}

function extensionsOf(tree: ConfigurationTree): ReadonlyMap<string, unknown> {
  const { extensions } = (tree.root ?? {}) as { readonly extensions?: unknown };
  const sections = new Map(Object.entries((extensions ?? {}) as object));
  for (const id of [...sections.keys()]) {
    if (!registryFactories.some(({ type }) => type === typeOf(id))) sections.delete(id);
  }
  return sections;
}

function chooseId(ids: readonly string[], wantedId: string | undefined): string {
  const listed = ids.length === 0 ? "none" : ids.join(", ");
  const fail = (message: string): never => {
    throw new ConfigurationError([{ path: "extensions", message }]);
  };
  if (wantedId !== undefined) {
    return ids.includes(wantedId)
      ? wantedId
      : fail(`no registry is called "${wantedId}" (registries: ${listed})`);
  }
  const [only, ...more] = ids;
  if (only === undefined) return fail("no redis_registry or memory_registry is configured");
  if (more.length > 0)
    return fail(`there are several registries (${listed}): choose with --registry`);
  return only;
}

function typeOf(id: string): string | undefined {
  const parts = parseComponentId(id);
  return "type" in parts ? parts.type : undefined;
}

function parsedValue<Value>(
  parsed: { readonly value: Value } | { readonly problems: ConfigurationError["problems"] },
): Value {
  if ("problems" in parsed) throw new ConfigurationError(parsed.problems);
  return parsed.value;
}

async function untilAvailable(registry: ContainerRegistry, id: string): Promise<void> {
  if (registry.availability.isAvailable) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, availabilityTimeoutMs);
    const end = registry.onAvailability(() => {
      if (!registry.availability.isAvailable) return;
      clearTimeout(timer);
      end();
      resolve();
    });
  });
  const { isAvailable, reason } = registry.availability;
  if (isAvailable) return;
  throw new Error(
    `registry "${id}" is not available after ${availabilityTimeoutMs / 1_000} s: ${reason ?? "no answer"}`,
  );
}

const hostOfNothing: Host = { extension: () => undefined, componentStatuses: () => [] };
