import type {
  Clock,
  ComponentKind,
  ComponentSettings,
  ComponentState,
  Signal,
} from "@inode-gateway/contract";
import { CapturingLogger } from "./capturing-logger.js";
import { FakeClock } from "./fake-clock.js";
import { RecordingLedger } from "./recording-ledger.js";
import { RecordingMeter } from "./recording-meter.js";
import { seededRandom } from "./seeded-random.js";

/** What a test wants to be different from the defaults. */
export interface TestSettingsOptions {
  /** Default `test`. */
  readonly id?: string;
  readonly kind: ComponentKind;
  readonly signal?: Signal;
  readonly pipeline?: string;
  /** Default a new {@link RecordingMeter}; pass one to let several components count together. */
  readonly meter?: RecordingMeter;
  readonly logger?: CapturingLogger;
  /** Default {@link seededRandom} of 1. */
  readonly random?: () => number;
}

/** A state that a component reported. */
export interface ReportedState {
  readonly state: ComponentState;
  readonly reason: string | undefined;
}

/** Settings as a component gets them, with everything it does to them readable. */
export interface TestSettings<C extends Clock = FakeClock> extends ComponentSettings {
  readonly clock: C;
  readonly logger: CapturingLogger;
  readonly meter: RecordingMeter;
  readonly ledger: RecordingLedger;
  /** Every reported state, in order. */
  readonly states: readonly ReportedState[];
  /** What promises of `runInBackground` rejected with. */
  readonly backgroundFailures: readonly { readonly name: string; readonly error: unknown }[];
  /** Resolves when every promise given to `runInBackground` so far has settled. */
  backgroundSettled(): Promise<void>;
}

/** Makes settings on a {@link FakeClock}, or on the clock that is given. */
export function createTestSettings(options: TestSettingsOptions): TestSettings;
export function createTestSettings<C extends Clock>(
  options: TestSettingsOptions & { readonly clock: C },
): TestSettings<C>;
export function createTestSettings(
  options: TestSettingsOptions & { readonly clock?: Clock },
): TestSettings<Clock> {
  const states: ReportedState[] = [];
  const backgroundFailures: { name: string; error: unknown }[] = [];
  const background: Promise<void>[] = [];
  return {
    id: options.id ?? "test",
    kind: options.kind,
    signal: options.signal,
    pipeline: options.pipeline,
    logger: options.logger ?? new CapturingLogger(),
    meter: options.meter ?? new RecordingMeter(),
    clock: options.clock ?? new FakeClock(),
    random: options.random ?? seededRandom(),
    ledger: new RecordingLedger(),
    build: { command: "inode-gateway", version: "0.0.0-test" },
    states,
    backgroundFailures,
    reportState: (state, reason) => {
      states.push({ state, reason });
    },
    runInBackground: (name, promise) => {
      background.push(
        promise.then(
          () => undefined,
          (error: unknown) => {
            backgroundFailures.push({ name, error });
          },
        ),
      );
    },
    backgroundSettled: async () => {
      await Promise.all(background);
    },
  };
}
