import { runLifecycleSuite } from "@inode-gateway/testkit";
import { routingConnector } from "./factory.js";

for (const signal of routingConnector.signals) {
  runLifecycleSuite(
    { ...routingConnector, signals: [signal] },
    { config: { table: [{ condition: "true", pipelines: [signal] }] } },
  );
}
