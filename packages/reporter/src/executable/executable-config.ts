import { z } from "zod";
import { redisPublisherConfig } from "../redis-registry-config.js";
import { reporterConfig } from "../reporter-config.js";

const endpoint = z
  .string()
  .refine(
    (text) => Number(/^(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]]*):(\d{1,5})$/.exec(text)?.[1]) <= 65_535,
    {
      error: "must be host:port or [v6]:port, such as localhost:8889",
    },
  );

const logs = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .describe("Least severe level that is written."),
  encoding: z
    .enum(["auto", "console", "json"])
    .default("auto")
    .describe("console for people, json for machines; auto is console on a terminal, else json."),
});

const metrics = z.strictObject({
  endpoint: endpoint.default("localhost:8889").describe("Where `/metrics` is served."),
});

/** The whole configuration of `inode-reporter`. */
export const executableConfig = z.strictObject({
  reporter: reporterConfig.prefault({}).describe("How the node's containers are found."),
  registry: z
    .strictObject({
      redis: redisPublisherConfig.prefault({}).describe("The Redis they are published in."),
    })
    .prefault({})
    .describe("Where the node's containers are published."),
  telemetry: z
    .strictObject({
      logs: logs.prefault({}).describe("The process's own log."),
      metrics: metrics.prefault({}).describe("The page for Prometheus."),
    })
    .prefault({})
    .describe("What the process says of itself."),
  health: z
    .strictObject({
      endpoint: endpoint.default("localhost:13134").describe("Where the health answer is served."),
    })
    .prefault({})
    .describe("The answer for probes."),
});

/** A checked configuration; durations are milliseconds. */
export type ExecutableConfig = z.output<typeof executableConfig>;
