import { runLifecycleSuite } from "@inode-gateway/testkit";
import { resourceProcessor } from "./factory.js";

runLifecycleSuite(resourceProcessor, {
  config: { attributes: [{ key: "deployment.environment.name", action: "upsert", value: "test" }] },
});
