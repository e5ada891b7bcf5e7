import type { BenchCase } from "./bench-cases.js";
import type { CaseResult, WindowResult } from "./measure.js";

const columns = [
  ["case", 18],
  ["program", 14],
  ["CPU-s/M spans", 14],
  ["spans/CPU-s", 12],
  ["spread", 7],
  ["spans/s", 10],
  ["of a CPU", 9],
  ["peak MiB", 9],
  ["failed", 7],
  ["no id", 6],
] as const;

/** Prints the head of the table. */
export function printHead(): void {
  console.log(columns.map(([title, width]) => title.padStart(width)).join(" "));
}

/** Prints one line for each contender: medians over its windows. */
export function printCase(benchCase: BenchCase, results: readonly CaseResult[]): void {
  for (const { contender, windows, peakResidentMib } of results) {
    const cost = windows.map((window) => window.cpuSecondsPerMillion).sort((a, b) => a - b);
    const middle = median(cost);
    const spread = ((cost.at(-1) ?? 0) - (cost[0] ?? 0)) / middle;
    const cells = [
      benchCase.name,
      contender,
      middle.toFixed(3),
      `${Math.round(1_000 / middle)} k`,
      `${(spread * 100).toFixed(0)} %`,
      `${Math.round(median(windows.map((window) => window.spansPerSecond)) / 1_000)} k`,
      `${(median(windows.map((window) => window.cpuShare)) * 100).toFixed(0)} %`,
      peakResidentMib.toFixed(0),
      sum(windows, "failures"),
      sum(windows, "spansWithoutContainer"),
    ];
    console.log(
      cells.map((cell, index) => String(cell).padStart(columns[index]?.[1] ?? 0)).join(" "),
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function sum(windows: readonly WindowResult[], key: "failures" | "spansWithoutContainer"): string {
  return String(windows.reduce((total, window) => total + window[key], 0));
}
