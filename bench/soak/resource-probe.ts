// Loaded into the gateway's process by the soak: tells once a second what keeps its event loop busy.

/** How many resources of each type the event loop has, such as `Timeout` and `TCPSocketWrap`. */
export type ActiveResources = Readonly<Record<string, number>>;

const everyMs = 1_000;

setInterval(() => {
  const counts: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) counts[type] = (counts[type] ?? 0) + 1;
  process.send?.(counts satisfies ActiveResources);
}, everyMs).unref();
process.channel?.unref();
