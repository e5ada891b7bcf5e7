import { runLifecycleSuite } from "@inode-gateway/testkit";
import { attributesProcessor } from "./factory.js";

runLifecycleSuite(attributesProcessor, {
  config: { actions: [{ key: "tested", action: "insert", value: true }] },
});
