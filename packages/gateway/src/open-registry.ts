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
  sectionEntries,
} from "@inode-gateway/config";
import type { ComponentSettings, Host } from "@inode-gateway/contract";
import type { ContainerRegistry } from "@inode-gateway/registry";

/** A registry that a command asks, outside any running gateway. */
export interface OpenedRegistry {
  /** ID of its extension. */
  readonly id: string;
  readonly registry: ContainerRegistry;
  /** Whether others see what is written to it; false for one that a file fills. */
  readonly isShared: boolean;
  close(): Promise<void>;
}

const registryFactories = [memoryRegistry, redisRegistry];

/** How long a command takes to let go of a registry. */
const closeTimeoutMs = 5_000;

/**
 * Opens the registry extension of a configuration.
 *
 * Waits for Redis as long as one attempt may take: `connect_timeout` and `command_timeout` together.
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
  const extensions = registryExtensions(tree);
  const id = chooseId([...extensions.keys()], wantedId);
  const { extension, waitMs, isShared } = createExtension(id, extensions.get(id), settingsFor(id));
  const close = () => extension.shutdown(performance.now() + closeTimeoutMs);
  try {
    await extension.start(hostOfNothing);
    const registry = extension.containerRegistry;
    await untilAvailable(registry, id, waitMs);
    return { id, registry, isShared, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface CreatedExtension {
  readonly extension: ContainerRegistryProvider;
  readonly waitMs: number;
  readonly isShared: boolean;
}

function createExtension(
  id: string,
  section: unknown,
  settings: ComponentSettings,
): CreatedExtension {
  const path = ["extensions", id];
  if (typeOf(id) === redisRegistry.type) {
    const config = parsedValue(parseSection(redisRegistry.config, section, path));
    const extension = redisRegistry.create(settings, config) as ContainerRegistryProvider;
    return { extension, waitMs: config.connect_timeout + config.command_timeout, isShared: true };
  }
  const config = parsedValue(parseSection(memoryRegistry.config, section, path));
  if (config.file === undefined) {
    const message =
      "this registry lives in the memory of a running gateway and cannot be asked from here: " +
      "use a redis_registry, or set `file`";
    throw new ConfigurationError([{ path: path.join("::"), message }]);
  }
  const extension = memoryRegistry.create(settings, config) as ContainerRegistryProvider;
  return { extension, waitMs: 0, isShared: false };
}

function registryExtensions(tree: ConfigurationTree): ReadonlyMap<string, unknown> {
  const sections = sectionEntries(sectionEntries(tree.root)?.get("extensions"));
  if (sections === undefined) {
    throw new ConfigurationError([{ path: "extensions", message: "expected a map" }]);
  }
  const isRegistry = (id: string) => registryFactories.some(({ type }) => type === typeOf(id));
  return new Map([...sections].filter(([id]) => isRegistry(id)));
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
  if (more.length === 0) return only;
  return fail(`there are several registries (${listed}): choose with --registry`);
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

async function untilAvailable(
  registry: ContainerRegistry,
  id: string,
  waitMs: number,
): Promise<void> {
  if (registry.availability.isAvailable) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    const end = registry.onAvailability(() => {
      if (!registry.availability.isAvailable) return;
      clearTimeout(timer);
      end();
      resolve();
    });
  });
  const { isAvailable, reason = "no answer" } = registry.availability;
  if (isAvailable) return;
  throw new Error(`registry "${id}" is not available after ${waitMs} ms: ${reason}`);
}

const hostOfNothing: Host = { extension: () => undefined, componentStatuses: () => [] };
