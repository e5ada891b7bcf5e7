/**
 * How many messages may stand inside each other below the request; the request itself is level 0.
 *
 * 100 is where protobuf's C++, Java and Python libraries and protobufjs stop decoding. Only AnyValue
 * contains itself, so only nested lists and maps ever come near.
 */
export const MAX_NESTED_MESSAGES = 100;

/** Longest varint of a value, in bytes: 64 bits in groups of seven. */
export const MAX_VARINT_BYTES = 10;

/** Longest varint of a tag or a length, in bytes: 32 bits in groups of seven. */
export const MAX_VARINT32_BYTES = 5;
