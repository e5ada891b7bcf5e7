/**
 * Deepest nesting of objects and lists below one JSON key that OTLP does not define.
 *
 * Such values are checked for syntax and dropped; the limit bounds the stack that takes.
 */
export const MAX_IGNORED_DEPTH = 100;

/**
 * Bytes of work space that stay allocated between two conversions, for each direction.
 *
 * A larger one is given back: one request of 64 MiB must not cost the process that much for ever.
 */
export const MAX_RETAINED_BYTES = 4 * 1024 * 1024;
