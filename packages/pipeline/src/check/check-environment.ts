import {
  type ConfigurationProblem,
  type ConfigurationTree,
  checkEnvironment as checkSection,
  sectionEntries,
} from "@inode-gateway/config";
import type { z } from "zod";
import { type CheckedConfiguration, sectionOfKind } from "./checked-configuration.js";

/**
 * Looks at what the used components refer to outside the configuration: certificate and key files.
 *
 * For `validate`; a start finds the same when the components read them.
 */
export async function checkEnvironment(
  tree: ConfigurationTree,
  { connectors, exporters, extensions, processors, receivers }: CheckedConfiguration,
): Promise<readonly ConfigurationProblem[]> {
  const root = sectionEntries(tree.root);
  const problems: ConfigurationProblem[] = [];
  for (const components of [receivers, processors, exporters, connectors, extensions]) {
    for (const { factory, id } of components.values()) {
      const name = sectionOfKind[factory.kind];
      const section = sectionEntries(root?.get(name))?.get(id);
      problems.push(...(await checkSection(factory.config as z.ZodType, section, [name, id])));
    }
  }
  return problems;
}
