import type { MemoryLimitConfig } from "./config.js";

/** Bytes in a MiB. */
export const MIB = 1_048_576;

/** Of a spike that nobody set. The Collector's share. */
const DEFAULT_SPIKE_SHARE = 0.2;

/** The limits in force, in bytes. */
export interface MemoryLimits {
  /** Above this everything is refused and garbage is collected with less patience. */
  readonly hardBytes: number;
  /** Above this everything is refused. */
  readonly softBytes: number;
}

/**
 * The limits that a configuration means.
 *
 * @param total asked only when the configuration counts in percent
 * @throws Error when that cannot be found out
 */
export async function resolveLimits(
  config: MemoryLimitConfig,
  total: () => Promise<number>,
): Promise<MemoryLimits> {
  if (config.limit_mib > 0) {
    return limitsOf(config.limit_mib * MIB, config.spike_limit_mib * MIB);
  }
  let totalBytes: number;
  try {
    totalBytes = await total();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `failed to get total memory, use fixed memory settings (\`limit_mib\`): ${reason}`,
      { cause },
    );
  }
  const share = (percentage: number) => Math.floor((totalBytes * percentage) / 100);
  return limitsOf(share(config.limit_percentage), share(config.spike_limit_percentage));
}

function limitsOf(hardBytes: number, spikeBytes: number): MemoryLimits {
  const spike = spikeBytes === 0 ? Math.floor(hardBytes * DEFAULT_SPIKE_SHARE) : spikeBytes;
  return { hardBytes, softBytes: hardBytes - spike };
}
