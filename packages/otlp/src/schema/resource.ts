import { entityRef, keyValue } from "./common.js";
import { nestedList, scalar } from "./define.js";
import { MessageSchema } from "./message-schema.js";

/** What produced the telemetry: a process, a container, a host. */
export const resource = new MessageSchema("opentelemetry.proto.resource.v1.Resource", () => [
  nestedList(1, "attributes", keyValue),
  scalar(2, "dropped_attributes_count", "uint32"),
  nestedList(3, "entity_refs", entityRef),
]);
