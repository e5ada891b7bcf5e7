/**
 * A value that an attribute edit can set.
 *
 * A number becomes an int when it is a safe integer, else a double; a bigint becomes an int and must
 * fit into 64 bits, signed.
 */
export type AttributeScalar = string | number | bigint | boolean | readonly string[];

/**
 * Any attribute value as it is decoded: bytes as Uint8Array (a view of the request), a list as an
 * array, a map as an object without prototype, an empty value as undefined. An int outside the safe
 * integers is a bigint. A reference into a profile's string table (`string_value_strindex`) cannot be
 * resolved without the table and is undefined.
 */
export type AttributeValue =
  | AttributeScalar
  | Uint8Array
  | readonly AttributeValue[]
  | undefined
  | { readonly [key: string]: AttributeValue };
