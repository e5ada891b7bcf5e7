import { runLifecycleSuite } from "@inode-gateway/testkit";
import { filterProcessor } from "./factory.js";

runLifecycleSuite(filterProcessor);
