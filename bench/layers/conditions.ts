import { filterProcessor } from "@inode-gateway/components";
import type { Batch, Consumer } from "@inode-gateway/contract";
import { createMeter } from "@inode-gateway/telemetry";
import { createTestSettings, realClock } from "@inode-gateway/testkit";
import type { Layer } from "./layer.js";

/** Conditions that no span of the bodies matches, so that every span is looked at, by what they read. */
const conditions: Readonly<Record<string, string>> = {
  "filter, on resource": 'resource.attributes["service.name"] == "nobody"',
  "filter, on name": 'name == "nothing"',
  "filter, on attribute": 'attributes["http.response.status_code"] == 599',
  "filter, on pattern": 'IsMatch(name, "^/healthz")',
};

/** One layer for each kind of condition in front of a consumer that drops. */
export function conditionLayers(batchOf: (request: number) => Batch): Layer[] {
  const sink: Consumer = { consume: async () => undefined };
  return Object.entries(conditions).map(([name, condition]) => {
    const settings = createTestSettings({ kind: "processor", signal: "traces", clock: realClock });
    const config = filterProcessor.config.parse({ traces: { span: [condition] } });
    const filter = filterProcessor.create({ ...settings, meter: createMeter() }, config, sink);
    return { name, run: (request) => filter.consume(batchOf(request)) };
  });
}
