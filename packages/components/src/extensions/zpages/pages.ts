import { formatDuration } from "@inode-gateway/config";
import type {
  BuildInfo,
  ComponentStatus,
  EndItems,
  EntranceItems,
  PipelineOverview,
} from "@inode-gateway/contract";
import { type Html, html, table } from "./html.js";

/** What the pages are made of, all at one moment. */
export interface PageFacts {
  readonly build: BuildInfo;
  /** Of Node.js. */
  readonly runtimeVersion: string;
  readonly startedUnixMs: number;
  readonly uptimeMs: number;
  readonly statuses: readonly ComponentStatus[];
  readonly pipelines: readonly PipelineOverview[];
}

/** The pages by path, as the Collector calls them. */
export const pages: Readonly<Record<string, (facts: PageFacts) => string>> = {
  "/debug/servicez": (facts) => page("Service", servicePage(facts)),
  "/debug/pipelinez": (facts) => page("Pipelines", facts.pipelines.map(pipelineSection)),
  "/debug/extensionz": (facts) => page("Extensions", extensionPage(facts)),
};

function page(title: string, body: Html | readonly Html[]): string {
  const links = Object.keys(pages).map((path) => html`<a href="${path}">${path}</a> `);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<style>
body { font-family: sans-serif; margin: 1em }
table { border-collapse: collapse; margin: 0.5em 0 }
th, td { border: 1px solid #999; padding: 0.2em 0.5em; text-align: left; vertical-align: top }
</style>
</head>
<body>
<nav>${links}</nav>
<h1>${title}</h1>
${body}</body>
</html>
`.text;
}

function servicePage({ build, runtimeVersion, startedUnixMs, statuses, uptimeMs }: PageFacts) {
  const states = new Map<string, number>();
  for (const { state } of statuses) states.set(state, (states.get(state) ?? 0) + 1);
  return html`${table(
    ["", ""],
    [
      ["Command", build.command],
      ["Version", build.version],
      ["Node.js", runtimeVersion],
      ["Started", new Date(startedUnixMs).toISOString()],
      ["Uptime", formatDuration(uptimeMs)],
    ],
  )}<h2>Components</h2>
${table(["state", "components"], [...states])}${statusTable(statuses)}`;
}

function extensionPage({ statuses }: PageFacts) {
  return statusTable(statuses.filter(({ kind }) => kind === "extension"));
}

function statusTable(statuses: readonly ComponentStatus[]) {
  return table(
    ["kind", "ID", "pipeline or signal", "state", "reason", "since"],
    statuses.map(({ id, kind, pipeline, reason, signal, sinceUnixMs, state }) => [
      kind,
      id,
      pipeline ?? signal ?? "",
      state,
      reason ?? "",
      new Date(sinceUnixMs).toISOString(),
    ]),
  );
}

const ENTRANCE_TERMS = [
  "offered",
  "accepted",
  "refused",
  "inFlight",
] as const satisfies readonly (keyof EntranceItems)[];

/** The two sides of the identity. */
const IN_TERMS = ["accepted", "recovered", "deliveredButRefused", "deliveredEarly"] as const;
const OUT_TERMS = ["delivered", "dropped", "persisted", "held", "inFlight", "unaccounted"] as const;
const IDENTITY_TERMS = [...IN_TERMS, ...OUT_TERMS] as const satisfies readonly (keyof EndItems)[];

function pipelineSection({
  entrance,
  exporters,
  id,
  identities,
  processors,
  receivers,
  signal,
}: PipelineOverview): Html {
  return html`<h2>${id}</h2>
${table(
  ["input", "receivers", "processors", "exporters"],
  [[signal, receivers.join(", "), processors.join(", "), exporters.join(", ")]],
)}<p>Items at the entrance: offered = accepted + refused + in flight.</p>
${table(ENTRANCE_TERMS.map(words), [
  ENTRANCE_TERMS.map((term) => entrance[term]),
])}<p>Items of each end, over all pipelines of ${signal}:
${IN_TERMS.map(words).join(" + ")} = ${OUT_TERMS.map(words).join(" + ")}.</p>
${table(
  ["end", ...IDENTITY_TERMS.map(words)],
  identities.map((end) => [end.id, ...IDENTITY_TERMS.map((term) => end[term])]),
)}`;
}

function words(term: string): string {
  return term.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
