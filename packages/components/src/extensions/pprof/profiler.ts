import { Session } from "node:inspector";

/** Microseconds between two samples of a CPU profile: V8's own default. */
export const SAMPLE_MICROSECONDS = 1_000;

/** Microseconds between samples of a profile that runs from the start to the stop: Go's 100 per second. */
export const LONG_SAMPLE_MICROSECONDS = 10_000;

/** Bytes between two samples of allocations, on average. */
const HEAP_SAMPLE_BYTES = 32_768;

/** A profile under way; exactly one of `end` and `abandon` is to be called. */
export interface RunningProfile {
  /** Stops sampling and gives the profile as JSON. */
  end(): Promise<string>;
  /** Stops sampling; what was sampled is thrown away. Never throws. */
  abandon(): void;
}

/** Samples what the CPU does, until it is ended; the JSON is V8's `.cpuprofile`. */
export async function startCpuProfile(sampleMicroseconds: number): Promise<RunningProfile> {
  const session = new InspectorSession();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: sampleMicroseconds });
    await session.post("Profiler.start");
  } catch (error) {
    session.close();
    throw error;
  }
  return runningProfile(session, "Profiler.stop");
}

/** Samples what is allocated and still alive, until it is ended; the JSON is V8's `.heapprofile`. */
export async function startHeapProfile(): Promise<RunningProfile> {
  const session = new InspectorSession();
  try {
    await session.post("HeapProfiler.startSampling", { samplingInterval: HEAP_SAMPLE_BYTES });
  } catch (error) {
    session.close();
    throw error;
  }
  return runningProfile(session, "HeapProfiler.stopSampling");
}

function runningProfile(session: InspectorSession, stop: string): RunningProfile {
  return {
    end: async () => {
      try {
        const answer = await session.post(stop);
        return JSON.stringify((answer as { readonly profile?: unknown }).profile);
      } finally {
        session.close();
      }
    },
    abandon: () => session.close(),
  };
}

/** A session with V8 inside this process; no port is opened. */
class InspectorSession {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
  }

  post(method: string, parameters: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error, answer: unknown) => {
        if (error === null) resolve(answer);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  close(): void {
    this.#session.disconnect();
  }
}
