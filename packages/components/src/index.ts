import type { ComponentFactory } from "@inode-gateway/contract";
import { debugExporter } from "./exporters/debug/factory.js";
import { nopExporter } from "./exporters/nop/factory.js";
import { otlpGrpcExporter } from "./exporters/otlp-grpc/factory.js";
import { otlpHttpExporter } from "./exporters/otlp-http/factory.js";
import { otlpReceiver } from "./receivers/otlp/factory.js";

export { debugExporter } from "./exporters/debug/factory.js";
export { nopExporter } from "./exporters/nop/factory.js";
export { otlpGrpcExporter } from "./exporters/otlp-grpc/factory.js";
export { otlpHttpExporter } from "./exporters/otlp-http/factory.js";
export { otlpReceiver } from "./receivers/otlp/factory.js";
export { OtlpReceiver } from "./receivers/otlp/otlp-receiver.js";

/** Every component that the `inode-gateway` executable offers. */
export const builtInFactories: readonly ComponentFactory[] = [
  otlpReceiver,
  otlpGrpcExporter,
  otlpHttpExporter,
  debugExporter,
  nopExporter,
];
