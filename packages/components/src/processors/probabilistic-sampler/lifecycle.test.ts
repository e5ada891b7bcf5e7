import { runLifecycleSuite } from "@inode-gateway/testkit";
import { probabilisticSampler } from "./factory.js";

runLifecycleSuite(probabilisticSampler, { config: { sampling_percentage: 50 } });
