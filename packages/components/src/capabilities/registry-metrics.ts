import type { ComponentSettings, MetricDefinition } from "@inode-gateway/contract";
import type { ContainerRegistry, RegistryObserver } from "@inode-gateway/registry";

const lookups: MetricDefinition = {
  name: "inode_gateway_registry_lookups",
  help: "Keys that a registry was asked for, by outcome; hits of its first cache are not counted.",
  kind: "counter",
  labels: ["extension", "outcome"],
};

const available: MetricDefinition = {
  name: "inode_gateway_registry_available",
  help: "1 while the registry can be asked, else 0.",
  kind: "gauge",
  labels: ["extension"],
};

const availabilityChanges: MetricDefinition = {
  name: "inode_gateway_registry_availability_changes",
  help: "How often the registry went away or came back, by what it became.",
  kind: "counter",
  labels: ["extension", "state"],
};

/** What every registry extension counts. */
export const registryMetrics: readonly MetricDefinition[] = [
  lookups,
  available,
  availabilityChanges,
];

/** Counts and logs what a registry reports about itself; its availability is the extension's. */
export function registryObserver(settings: ComponentSettings): RegistryObserver {
  const { id: extension, logger, meter } = settings;
  return {
    lookups: (outcome, count) => meter.counter(lookups, { extension, outcome }).add(count),
    warning: (message, fields) => logger.warn(message, fields),
  };
}

/** Counts that the registry went away or came back. */
export function countAvailabilityChange(settings: ComponentSettings, isAvailable: boolean): void {
  const { id: extension, meter } = settings;
  const state = isAvailable ? "available" : "unavailable";
  meter.counter(availabilityChanges, { extension, state }).add(1);
}

/** Lets the availability gauge read the registry. Returns a function that ends that. */
export function observeAvailability(
  settings: ComponentSettings,
  registry: ContainerRegistry,
): () => void {
  const { id: extension, meter } = settings;
  return meter.observe(available, { extension }, () => (registry.availability.isAvailable ? 1 : 0));
}
