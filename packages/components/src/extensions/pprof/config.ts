import { z } from "zod";
import { listenEndpoint } from "../../transport/page-endpoint.js";

const fraction = (what: string) =>
  z
    .int()
    .default(0)
    .describe(
      `Accepted so that a Collector's file loads; ${what} are not profiled: one thread runs here.`,
    );

/** What an operator may write under `pprof:` in a configuration file. */
export const pprofConfig = z.strictObject({
  endpoint: listenEndpoint()
    .default("localhost:1777")
    .describe(
      "`host:port` to listen on, as in the Collector. A profile costs time and shows the program's " +
        "inside: keep it local.",
    ),
  block_profile_fraction: fraction("blocking events"),
  mutex_profile_fraction: fraction("mutexes"),
  save_to_file: z
    .string()
    .default("")
    .describe(
      "File for a CPU profile from the start on, for an hour at most, written when the gateway stops; " +
        "empty saves none. Format: V8's `.cpuprofile`.",
    ),
});

/** The checked configuration. */
export type PprofConfig = z.output<typeof pprofConfig>;
