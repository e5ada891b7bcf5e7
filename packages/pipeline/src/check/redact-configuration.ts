import {
  type ConfigurationTree,
  parseComponentId,
  redact,
  sectionEntries,
} from "@inode-gateway/config";
import type { ComponentFactory } from "@inode-gateway/contract";
import { z } from "zod";
import { componentKinds, sectionOfKind } from "./checked-configuration.js";

/**
 * A configuration as plain data for a person to read, every secret replaced by `[REDACTED]`.
 *
 * What no schema knows, such as the section of an unknown component, is replaced as a whole.
 */
export function redactConfiguration(
  tree: ConfigurationTree,
  factories: readonly ComponentFactory[],
  telemetrySchema: z.ZodType,
): unknown {
  return redact(schemaOf(tree, factories, telemetrySchema), tree.root);
}

function schemaOf(
  tree: ConfigurationTree,
  factories: readonly ComponentFactory[],
  telemetrySchema: z.ZodType,
): z.ZodType {
  const root = sectionEntries(tree.root);
  const sections = componentKinds.map((kind): [string, z.ZodType] => {
    const ids = [...(sectionEntries(root?.get(sectionOfKind[kind]))?.keys() ?? [])];
    const shape = ids.flatMap((id): [string, z.ZodType][] => {
      const parts = parseComponentId(id);
      if ("problem" in parts) return [];
      const factory = factories.find(
        ({ aliases, kind: own, type }) =>
          own === kind && (type === parts.type || aliases?.includes(parts.type)),
      );
      return factory === undefined ? [] : [[id, factory.config as z.ZodType]];
    });
    return [sectionOfKind[kind], z.object(Object.fromEntries(shape))];
  });
  const service = z.object({
    extensions: z.unknown(),
    pipelines: z.unknown(),
    telemetry: telemetrySchema,
  });
  return z.object({ ...Object.fromEntries(sections), service });
}
