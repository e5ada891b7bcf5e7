import type { TestContext } from "node:test";
import { otlpGrpcExporter, otlpHttpExporter } from "@inode-gateway/components";
import type { Clock, Exporter, Extension, Signal } from "@inode-gateway/contract";
import { createTestSettings, realClock, TestHost, type TestSettings } from "@inode-gateway/testkit";

/** A started exporter and what it was made with. */
export interface RunningExporter {
  readonly exporter: Exporter;
  readonly settings: TestSettings<Clock>;
  count(name: string): number;
}

/** What a test gives an exporter besides its configuration. */
export interface Surroundings {
  readonly clock?: Clock;
  readonly extensions?: Readonly<Record<string, Extension>>;
}

const direct = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };

/** Starts an `otlp_grpc` exporter, without queue and retry unless `config` says so. */
export function startGrpcExporter(
  t: TestContext,
  config: object,
  signal: Signal = "traces",
  surroundings: Surroundings = {},
): Promise<RunningExporter> {
  return start(t, otlpGrpcExporter, { ...direct, ...config }, signal, surroundings);
}

/** Starts an `otlp_http` exporter, without queue and retry unless `config` says so. */
export function startHttpExporter(
  t: TestContext,
  config: object,
  signal: Signal = "traces",
  surroundings: Surroundings = {},
): Promise<RunningExporter> {
  return start(t, otlpHttpExporter, { ...direct, ...config }, signal, surroundings);
}

async function start(
  t: TestContext,
  factory: typeof otlpGrpcExporter | typeof otlpHttpExporter,
  config: object,
  signal: Signal,
  { clock = realClock, extensions = {} }: Surroundings,
): Promise<RunningExporter> {
  const settings = createTestSettings({
    id: factory.type,
    kind: "exporter",
    signal,
    clock,
  });
  const exporter = (factory as typeof otlpGrpcExporter).create(
    settings,
    factory.config.parse(config) as ReturnType<typeof otlpGrpcExporter.config.parse>,
  );
  t.after(() => exporter.shutdown(clock.nowMs() + 500));
  await exporter.start(new TestHost(extensions));
  return { exporter, settings, count: (name) => settings.meter.sum(name) };
}
