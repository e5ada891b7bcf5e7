import { z } from "zod";
import { ExpandedValue, isMap, setOwn } from "./expanded-value.js";
import { branchesOf, elementsOf, valuesOf } from "./schema-walk.js";
import { isSecret, REDACTED } from "./secret.js";

/**
 * A copy of a section as written, substitutions done, with every value of a `secret()` replaced.
 *
 * What the schema does not know, such as a mistyped key, is replaced as well: it may be a secret whose
 * key is misspelt. Without a schema nothing is known and every value is replaced.
 */
export function redact(schema: z.ZodType | undefined, section: unknown): unknown {
  return redacted(schema === undefined ? [] : [schema], section);
}

function redacted(schemas: readonly z.core.$ZodType[], written: unknown): unknown {
  const options = schemas.flatMap(branchesOf);
  const value = written instanceof ExpandedValue ? meantBy(written, options) : written;
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) {
    const below = options.flatMap(elementsOf);
    return value.map((entry) => redacted(below, entry));
  }
  if (isMap(value)) {
    const copy: Record<string, unknown> = {};
    for (const [key, below] of Object.entries(value)) {
      setOwn(
        copy,
        key,
        redacted(
          options.flatMap((option) => valuesOf(option, key)),
          below,
        ),
      );
    }
    return copy;
  }
  return options.length === 0 || options.some(isSecret) ? REDACTED : value;
}

// Shows what parseSection will use: the text where nothing but text is possible.
function meantBy(written: ExpandedValue, options: readonly z.core.$ZodType[]): unknown {
  const isText = options.length > 0 && options.every((option) => option instanceof z.ZodString);
  return isText ? (written.original ?? written.value) : written.value;
}
