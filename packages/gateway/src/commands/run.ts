import { randomUUID } from "node:crypto";
import type { BuildInfo, Logger } from "@inode-gateway/contract";
import { createPipelineRuntime, type PipelineRuntime } from "@inode-gateway/pipeline";
import {
  type AdminServer,
  createLogger,
  createMeter,
  failureFields,
  type PrometheusMeter,
  registerProcessMetrics,
  startMetricsServer,
  systemClock,
} from "@inode-gateway/telemetry";
import { reportAccounting } from "../accounting-report.js";
import { AdjustableLogger } from "../adjustable-logger.js";
import type { GatewayConfiguration } from "../configuration.js";
import { ExitCode } from "../exit-code.js";
import { OwnTelemetry } from "../own-telemetry/own-telemetry.js";
import type { ProcessEnvironment } from "../process-environment.js";
import { answerReload, isLoopback, reloadPath } from "../reload/reload-page.js";
import { logDoubts, Reloader } from "../reload/reloader.js";
import {
  loggerOptions,
  meterOptions,
  metricsEndpoint,
  processAttributes,
  type TelemetryConfig,
  targetInfoLabels,
} from "../telemetry-config.js";

/**
 * How long stopping may take, all components together: 25 s, so that it ends before the 30 s after
 * which Kubernetes kills a pod.
 */
export const shutdownTimeoutMs = 25_000;

/** How long sending the last of the own telemetry may take, after everything else has stopped. */
const ownTelemetryTimeoutMs = 3_000;

/** What the gateway runs with. */
export interface GatewaySources {
  readonly checked: GatewayConfiguration;
  /** Reads and checks the same sources again. @throws ConfigurationError when they are wrong now */
  readonly load: () => Promise<GatewayConfiguration>;
}

/** Runs the gateway until a stop signal, drains it, and gives the exit code. */
export async function runGateway(
  sources: GatewaySources,
  build: BuildInfo,
  io: ProcessEnvironment,
): Promise<ExitCode> {
  // Starting and stopping may wait on nothing but timers, which do not keep the process alive.
  const alive = setInterval(() => undefined, 1_000);
  try {
    return await runUntilStopped(sources, build, io);
  } finally {
    clearInterval(alive);
  }
}

async function runUntilStopped(
  { checked, load }: GatewaySources,
  build: BuildInfo,
  io: ProcessEnvironment,
): Promise<ExitCode> {
  const { telemetry } = checked;
  const meter = createMeter(meterOptions(telemetry));
  const instanceId = randomUUID();
  describeProcess(meter, targetInfoLabels(telemetry, build, instanceId));
  const ownTelemetry = new OwnTelemetry(telemetry, {
    ...{ build, meter, clock: systemClock, random: Math.random },
    // Without `onLogged`: what the export of the log logs would be exported, and so on for ever.
    logger: createProcessLogger(telemetry, io),
    resource: processAttributes(telemetry, build, instanceId),
  });
  const logger = createProcessLogger(telemetry, io, ownTelemetry.onLogged);
  logDoubts(checked, logger);
  logger.info("starting", { version: build.version, node: process.versions.node });
  const stopSignal = waitForStopSignal(logger, io);
  const failure = new AbortController();
  const failed = new Promise<void>((resolve) => {
    failure.signal.addEventListener("abort", () => resolve());
  });
  const clock = systemClock;
  const runtime = createPipelineRuntime({
    ...{ build, checked, clock, logger, meter, random: Math.random, tracer: ownTelemetry.tracer },
    onStatus: ({ kind, id, state, reason }) => {
      if (state !== "fatal_error") return;
      logger.error("a component cannot go on, the gateway stops", { kind, id, reason });
      failure.abort();
    },
  });
  const reloader = new Reloader({ load, runtime, telemetry, logger, meter, clock });
  io.onReloadSignal(() => void reloader.reload("SIGHUP"));
  let metricsServer: AdminServer | undefined;
  let isStarted = false;
  try {
    await ownTelemetry.start();
    metricsServer = await serveMetrics(telemetry, { logger, meter, reloader });
    const started = runtime.start().then(() => true);
    isStarted = await Promise.race([started, stopSignal.then(() => false)]);
  } catch (error) {
    logger.error("the gateway cannot start", failureFields(error));
    await metricsServer?.close();
    await ownTelemetry.shutdown(systemClock.nowMs() + ownTelemetryTimeoutMs);
    return ExitCode.failed;
  }
  if (isStarted) logger.info("Everything is ready. Begin running and processing data.");
  await Promise.race([stopSignal, failed]);
  await drain(runtime, logger);
  await metricsServer?.close();
  await ownTelemetry.shutdown(systemClock.nowMs() + ownTelemetryTimeoutMs);
  return failure.signal.aborted ? ExitCode.failed : ExitCode.ok;
}

/** Its level is kept outside of it, so that a reload can change it. */
function createProcessLogger(
  telemetry: TelemetryConfig,
  io: ProcessEnvironment,
  onLogged?: OwnTelemetry["onLogged"],
): AdjustableLogger {
  const { level, ...options } = loggerOptions(telemetry);
  const writer = createLogger({
    ...options,
    level: "debug",
    onLogged,
    isTerminal: io.stderr.isTerminal,
    destination: { write: (line) => io.stderr.write(line) },
  });
  return new AdjustableLogger(writer, { level });
}

/** Resolves at the first stop signal; a second one ends the process at once. */
function waitForStopSignal(logger: Logger, io: ProcessEnvironment): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    io.onStopSignal((signal) => {
      count++;
      if (count > 1) {
        logger.error("stopping at once, what is not delivered yet is lost", { signal });
        io.exitNow(ExitCode.failed);
        return;
      }
      logger.info("stopping, a second signal ends it at once", {
        signal,
        timeoutMs: shutdownTimeoutMs,
      });
      resolve();
    });
  });
}

async function drain(runtime: PipelineRuntime, logger: Logger): Promise<void> {
  const startMs = systemClock.nowMs();
  await runtime.shutdown(startMs + shutdownTimeoutMs);
  reportAccounting(runtime.accounting(), logger);
  logger.info("stopped", { durationMs: Math.round(systemClock.nowMs() - startMs) });
}

async function serveMetrics(
  config: TelemetryConfig,
  parts: {
    readonly logger: Logger;
    readonly meter: PrometheusMeter;
    readonly reloader: Reloader;
  },
): Promise<AdminServer | undefined> {
  const endpoint = metricsEndpoint(config);
  if (endpoint === undefined) return undefined;
  const { logger, meter, reloader } = parts;
  let isOnLoopback = false;
  const server = await startMetricsServer({
    endpoint,
    endpointKey: `service::telemetry::metrics::${config.metrics.address === undefined ? "readers" : "address"}`,
    meter,
    pages: new Map([
      [
        reloadPath,
        (request, response) => answerReload(request, response, { isOnLoopback, reloader }),
      ],
    ]),
  });
  isOnLoopback = isLoopback(server.address);
  logger.info("serving metrics", { endpoint: server.address, path: "/metrics" });
  return server;
}

function describeProcess(meter: PrometheusMeter, labels: Readonly<Record<string, string>>): void {
  registerProcessMetrics(meter, { prefix: "otelcol" });
  const definition = {
    name: "target_info",
    help: "The process itself, as OpenTelemetry resource attributes.",
    kind: "gauge",
    labels: Object.keys(labels),
  } as const;
  meter.gauge(definition, labels).set(1);
}
