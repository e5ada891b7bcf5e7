import type { BenchCase } from "./bench-cases.js";
import type { AnsweringProcess } from "./child-process.js";
import type { Contender } from "./contender.js";
import type { LoadReply, LoadRequest } from "./load-process.js";
import type { SinkReport } from "./sink-process.js";

/** The generator and the sink, which every contender shares. */
export interface Surroundings {
  readonly load: AnsweringProcess<LoadRequest, LoadReply>;
  readonly sink: AnsweringProcess<{ readonly action: "count" }, SinkReport>;
}

/** How one case is measured. */
export interface MeasureOptions {
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly rounds: number;
  readonly connections: number;
  readonly concurrency: number;
}

/** One window of one contender. */
export interface WindowResult {
  /** CPU seconds of the contender for a million spans that reached the sink. */
  readonly cpuSecondsPerMillion: number;
  readonly spansPerSecond: number;
  /** Share of one processor that the contender used: below 0.6 the rate is not its own limit. */
  readonly cpuShare: number;
  readonly failures: number;
  readonly spansWithoutContainer: number;
}

/** All windows of one contender in one case, its peak memory at the end. */
export interface CaseResult {
  readonly contender: string;
  readonly windows: readonly WindowResult[];
  readonly peakResidentMib: number;
}

const count = { action: "count" } as const;

/** Measures one case with every contender in turn (A, B, A, B, …) after a warm-up each. */
export async function measureCase(
  benchCase: BenchCase,
  contenders: readonly Contender[],
  surroundings: Surroundings,
  options: MeasureOptions,
): Promise<CaseResult[]> {
  const windows = contenders.map((): WindowResult[] => []);
  for (const contender of contenders) {
    await measureWindow(benchCase, contender, surroundings, options, options.warmUpMs);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      windows[index]?.push(
        await measureWindow(benchCase, contender, surroundings, options, options.windowMs),
      );
    }
  }
  return contenders.map((contender, index) => ({
    contender: contender.name,
    windows: windows[index] ?? [],
    peakResidentMib: contender.peakResidentMib,
  }));
}

async function measureWindow(
  benchCase: BenchCase,
  contender: Contender,
  { load, sink }: Surroundings,
  options: MeasureOptions,
  windowMs: number,
): Promise<WindowResult> {
  const { connections, concurrency } = options;
  const port = contender.port(benchCase.protocol);
  await load.ask({ action: "start", caseName: benchCase.name, port, connections, concurrency });
  // A tenth of the window passes first, so that a window begins in the middle of the load.
  await passes(windowMs / 10);
  const before = await sink.ask(count);
  const cpuBefore = contender.cpuSeconds;
  const startMs = performance.now();
  await passes(windowMs);
  const cpu = contender.cpuSeconds - cpuBefore;
  const after = await sink.ask(count);
  const seconds = (performance.now() - startMs) / 1_000;
  const { failures } = await load.ask({ action: "stop" });
  await untilQuiet(sink);
  const spans = after.spans - before.spans;
  return {
    cpuSecondsPerMillion: (cpu / spans) * 1e6,
    spansPerSecond: spans / seconds,
    cpuShare: cpu / seconds,
    failures,
    spansWithoutContainer: after.spansWithoutContainer - before.spansWithoutContainer,
  };
}

/** What the contender still holds must not count for the next one. */
async function untilQuiet(sink: Surroundings["sink"]): Promise<void> {
  let last = (await sink.ask(count)).spans;
  for (let turn = 0; turn < 40; turn++) {
    await passes(300);
    const { spans } = await sink.ask(count);
    if (spans === last) return;
    last = spans;
  }
}

function passes(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
