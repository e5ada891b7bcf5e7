/** A float64 of the language; apart from the integers, which are plain numbers here. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A trace or span ID: equal to nothing but another of its kind. */
export class Identifier {
  readonly kind: "trace" | "span";
  /** 16 or 8 bytes. */
  readonly bytes: Uint8Array;

  constructor(kind: "trace" | "span", bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }

  /** Lower-case hexadecimal, of an ID of zeros too. */
  get text(): string {
    return Buffer.from(this.bytes).toString("hex");
  }
}

/**
 * Any value of the language: nil is undefined, an int64 a number where it is safe and a bigint where
 * not, a list an array.
 */
export type Value =
  | undefined
  | string
  | boolean
  | number
  | bigint
  | Double
  | Uint8Array
  | Identifier
  | readonly Value[]
  | ValueMap;

/** A map of the language. */
export type ValueMap = ReadonlyMap<string, Value>;

/** Whether a value is a list. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Name of a value's type, for messages. */
export function typeName(value: Value): string {
  if (value === undefined) return "nil";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" || typeof value === "bigint") return "int";
  if (value instanceof Double) return "float";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Identifier) return `${value.kind} ID`;
  return isList(value) ? "list" : "map";
}

/** An int64 that a 64-bit computation or field gave, wrapped around as in Go. */
export function int64(value: bigint): number | bigint {
  const wrapped = BigInt.asIntN(64, value);
  const number = Number(wrapped);
  return Number.isSafeInteger(number) ? number : wrapped;
}
