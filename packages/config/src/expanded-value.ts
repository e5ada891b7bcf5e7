/**
 * A value that took the place of a whole `${...}`.
 *
 * It was read as YAML, but its text is kept for the places where the schema wants text, so that a
 * password `0123` does not become the number 123.
 */
export class ExpandedValue {
  /** A number, boolean, null, list or map; text is never wrapped. */
  readonly value: unknown;
  /** Undefined when the text itself holds a reference that cannot be resolved, as in a YAML comment. */
  readonly original: string | undefined;

  constructor(value: unknown, original: string | undefined) {
    this.value = value;
    this.original = original;
  }
}

/** Whether a value is a map of a configuration: a plain object. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === MAP;
}

const MAP: unknown = Object.prototype;

/**
 * The keys of a section with what stands below each, substitution marks included; null is an empty map.
 *
 * Undefined when the section is something else than a map.
 */
export function sectionEntries(section: unknown): ReadonlyMap<string, unknown> | undefined {
  const value = section instanceof ExpandedValue ? section.value : section;
  if (value === null || value === undefined) return new Map();
  return isMap(value) ? new Map(Object.entries(value)) : undefined;
}

/** Called for every {@link ExpandedValue} that has an original text. */
export type OriginalVisitor = (path: readonly (string | number)[], original: string) => void;

/** A deep copy of a section, in which the values of substitutions stand without their texts. */
export function plainCopy(
  section: unknown,
  visit: OriginalVisitor = () => undefined,
  path: readonly (string | number)[] = [],
): unknown {
  if (section instanceof ExpandedValue) {
    if (section.original !== undefined) visit(path, section.original);
    return plainCopy(section.value, visit, path);
  }
  if (Array.isArray(section)) {
    return section.map((entry, index) => plainCopy(entry, visit, [...path, index]));
  }
  if (!isMap(section)) return section;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(section)) {
    setOwn(copy, key, plainCopy(value, visit, [...path, key]));
  }
  return copy;
}

/** Sets a key, `__proto__` too, as a plain property. */
export function setOwn(map: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    map[key] = value;
  }
}
