import type { FieldSchema, MessageSchema } from "../schema/message-schema.js";

/**
 * Number of a field that OTLP has given up and reserves: an older list of scopes in ResourceSpans,
 * ResourceMetrics and ResourceLogs.
 *
 * Go's pdata still decodes it as such, and refuses the whole request when it holds something else: so
 * it is checked. To everything else here it is a field that OTLP does not define.
 */
export const DEPRECATED_SCOPES = 1000;

const scopeFields: ReadonlySet<string> = new Set(["scope_spans", "scope_metrics", "scope_logs"]);

/** The deprecated list of a message, shaped like the list in use; undefined where there was none. */
export function deprecatedScopesOf(message: MessageSchema): FieldSchema | undefined {
  const scopes = message.fields.find(({ name }) => scopeFields.has(name));
  return scopes && { ...scopes, number: DEPRECATED_SCOPES, name: `deprecated_${scopes.name}` };
}
