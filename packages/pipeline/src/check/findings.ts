import type { ConfigurationProblem } from "@inode-gateway/config";

/** What checking a configuration has found so far. */
export class Findings {
  readonly problems: ConfigurationProblem[] = [];
  readonly warnings: string[] = [];
  readonly notes: string[] = [];

  /** @param path keys from the top */
  problem(path: readonly (string | number)[], message: string): void {
    this.problems.push({ path: path.join("::"), message });
  }
}
