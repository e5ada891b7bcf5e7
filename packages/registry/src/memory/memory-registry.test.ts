import { type RegistryFixture, runRegistrySuite } from "@inode-gateway/testkit";
import { createMemoryRegistry } from "./memory-registry.js";

runRegistrySuite("memory", async (times): Promise<RegistryFixture> => {
  let nowUnixMs = Date.UTC(2026, 0, 1);
  const clock = { unixMs: () => nowUnixMs, setTimer: () => ({ cancel: () => {} }) };
  const registry = createMemoryRegistry({ ...times, clock });
  await registry.start();
  return {
    reporter: registry,
    otherReporter: registry,
    openGateway: async () => registry,
    advance: (ms) => {
      nowUnixMs += ms;
    },
    close: () => registry.stop(),
  };
});
