import { runLifecycleSuite } from "@inode-gateway/testkit";
import { forwardConnector } from "./factory.js";

runLifecycleSuite(forwardConnector);
