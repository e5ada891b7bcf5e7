import type { Extension, Host } from "@inode-gateway/contract";
import type { ContainerRegistry } from "@inode-gateway/registry";

/**
 * An extension that holds a container registry: what `registry: <extension ID>` in another
 * component's configuration must name.
 */
export interface ContainerRegistryProvider extends Extension {
  /** Valid from the end of `start` to `shutdown`. The extension alone starts and stops it. */
  readonly containerRegistry: ContainerRegistry;
}

/**
 * The registry of a running extension.
 *
 * @param extensionId as written under `registry:`, such as `redis_registry/shared`
 * @throws Error when no such extension runs, or when it holds no container registry
 */
export function containerRegistryOf(host: Host, extensionId: string): ContainerRegistry {
  const extension = host.extension(extensionId);
  if (extension === undefined) {
    throw new Error(
      `\`registry\` names the extension "${extensionId}", which does not run: ` +
        "list it under `service::extensions`",
    );
  }
  if (!isContainerRegistryProvider(extension)) {
    throw new Error(
      `\`registry\` names the extension "${extensionId}", which holds no container registry: ` +
        "use a `memory_registry` or a `redis_registry`",
    );
  }
  return extension.containerRegistry;
}

function isContainerRegistryProvider(extension: Extension): extension is ContainerRegistryProvider {
  return "containerRegistry" in extension;
}
