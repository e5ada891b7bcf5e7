import { seededRandom } from "@inode-gateway/testkit";
import { inParallel } from "../conformance/mutated-requests.js";
import type { FuzzCase, MakeCase } from "./fuzz-case.js";
import { type CleanUp, FuzzTarget } from "./fuzz-target.js";
import { httpBodyCase } from "./http-body-cases.js";
import { http1Case } from "./http1-cases.js";
import { grpcMessageCase, http2FramesCase, http2HeadersCase } from "./http2-cases.js";

/** Cases at the same time. */
const CONCURRENT = 24;
/** After so many cases valid requests must succeed, and memory is looked at. */
const CASES_PER_CHECK = 50;
/** Findings after which a run gives up: there is one cause. */
const FINDINGS_MAX = 50;
/** Keeps the cases of seeds that follow each other apart. */
const SEED_STRIDE = 1_000_003;

/** Kinds of cases with their shares. */
const kinds: readonly (readonly [name: string, share: number, make: MakeCase])[] = [
  ["http body", 0.4, httpBodyCase],
  ["http/1.1", 0.2, http1Case],
  ["grpc message", 0.15, grpcMessageCase],
  ["http/2 headers", 0.1, http2HeadersCase],
  ["http/2 frames", 0.15, http2FramesCase],
];

/** What a run is to do. */
export interface CampaignOptions {
  /** Mutated requests to send, at least. */
  readonly requests: number;
  readonly seed: number;
  /** Number of the first case; default 0. */
  readonly from?: number;
  /** Told now and then how many requests were sent. */
  readonly onProgress?: (requests: number, cases: number) => void;
}

/** Something that no receiver may do. */
export interface Finding {
  /** Number of the case; undefined when it is not one case's doing. */
  readonly caseNumber: number | undefined;
  readonly kind: string;
  readonly problem: string;
}

/** What came of a run. */
export interface CampaignReport {
  readonly requests: number;
  readonly cases: number;
  readonly requestsByKind: ReadonlyMap<string, number>;
  /** How many requests ended how, by kind and outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly growthBytes: number;
  readonly findings: readonly Finding[];
}

/** One case, which its number and the seed decide alone. */
export function makeCase(seed: number, caseNumber: number): { kind: string; made: FuzzCase } {
  const random = seededRandom(seed * SEED_STRIDE + caseNumber);
  // The first numbers of neighbouring seeds are alike.
  for (let skipped = 0; skipped < 4; skipped++) random();
  let share = random();
  for (const [kind, own, make] of kinds) {
    share -= own;
    if (share < 0) return { kind, made: make(random) };
  }
  return { kind: "http body", made: httpBodyCase(random) };
}

/** Sends mutated requests to an executable of its own, and looks at all that it does. */
export async function runCampaign(
  cleanUp: CleanUp,
  options: CampaignOptions,
): Promise<CampaignReport> {
  const { from = 0, requests: wanted, seed } = options;
  const target = await FuzzTarget.start(cleanUp);
  const findings: Finding[] = [];
  for (const problem of await target.validProblems(0)) note(findings, undefined, "before", problem);
  target.measureBefore();
  const outcomes = new Map<string, number>();
  const requestsByKind = new Map<string, number>();
  let requests = 0;
  let cases = 0;
  const count = (counts: Map<string, number>, key: string, by = 1) =>
    counts.set(key, (counts.get(key) ?? 0) + by);

  await inParallel(wanted, CONCURRENT, async () => {
    if (requests >= wanted || findings.length >= FINDINGS_MAX) return;
    const turn = cases++;
    const { kind, made } = makeCase(seed, from + turn);
    requests += made.requests;
    count(requestsByKind, kind, made.requests);
    try {
      const played = await made.play(target.addresses);
      for (const outcome of played.outcomes) count(outcomes, `${kind}: ${outcome}`);
      for (const problem of played.problems) note(findings, from + turn, kind, problem);
      if (turn % CASES_PER_CHECK === CASES_PER_CHECK - 1) {
        for (const problem of await target.validProblems(turn)) {
          note(findings, from + turn, "valid", problem);
        }
        target.measure();
        options.onProgress?.(requests, cases);
      }
    } catch (error) {
      const { cause } = error as Error;
      note(findings, from + turn, kind, `${String(error)}${cause ? ` (${String(cause)})` : ""}`);
    }
  });
  for (const problem of await target.validProblems(1)) note(findings, undefined, "after", problem);
  for (const problem of await target.finalProblems()) note(findings, undefined, "end", problem);
  const { growthBytes } = target;
  return { requests, cases, requestsByKind, outcomes, growthBytes, findings };
}

function note(
  findings: Finding[],
  caseNumber: number | undefined,
  kind: string,
  problem: string,
): void {
  findings.push({ caseNumber, kind, problem });
}
