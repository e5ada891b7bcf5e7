import { runLifecycleSuite } from "@inode-gateway/testkit";
import { batchProcessor } from "./factory.js";

runLifecycleSuite(batchProcessor);
