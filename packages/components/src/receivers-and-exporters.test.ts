import { runLifecycleSuite } from "@inode-gateway/testkit";
import { debugExporter } from "./exporters/debug/factory.js";
import { nopExporter } from "./exporters/nop/factory.js";
import { otlpGrpcExporter } from "./exporters/otlp-grpc/factory.js";
import { otlpHttpExporter } from "./exporters/otlp-http/factory.js";
import { otlpReceiver } from "./receivers/otlp/factory.js";

runLifecycleSuite(otlpReceiver, {
  config: {
    protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } },
  },
});
// Nothing listens there: a destination that is away is no reason not to start.
runLifecycleSuite(otlpGrpcExporter, { config: { endpoint: "http://127.0.0.1:1" } });
runLifecycleSuite(otlpHttpExporter, { config: { endpoint: "http://127.0.0.1:1" } });
runLifecycleSuite(debugExporter);
runLifecycleSuite(nopExporter);
