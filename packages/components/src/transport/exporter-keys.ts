import { ZSTD_NODE_VERSION, zstd } from "@inode-gateway/grpc";
import { z } from "zod";

/** A key of the Collector that tunes Go's own transport: taken, so that its files load, and without effect. */
export const withoutEffect = (what: string) =>
  z.unknown().optional().describe(`No effect: ${what}. Taken for the Collector's sake.`);

/** `middlewares`, of which none exist for what sends: an empty list is taken, anything else refused. */
export const noMiddlewares = () =>
  z
    .array(z.unknown())
    .max(0, "there are no middlewares for exporters: remove the entries")
    .optional()
    .describe("Must be empty: there are no middlewares for exporters.");

/** Refuses `compression: zstd` on a Node without it. */
export function refuseMissingZstd(name: string, context: z.RefinementCtx): void {
  if (name !== "zstd" || zstd !== undefined) return;
  const message = `"zstd" needs Node.js ${ZSTD_NODE_VERSION} or later, this is ${process.version}`;
  context.addIssue({ code: "custom", message });
}
