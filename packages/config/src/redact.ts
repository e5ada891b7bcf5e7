import { z } from "zod";
import { ExpandedValue, isMap, setOwn } from "./expanded-value.js";
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

/** The schemas that may apply to one value, wrappers taken off. */
function branchesOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodNonOptional ||
    schema instanceof z.ZodCatch
  ) {
    return branchesOf(schema.def.innerType);
  }
  // In z.preprocess the input is a transform, which knows nothing of the value: look at both ends.
  if (schema instanceof z.ZodPipe) {
    return [schema.def.in, schema.def.out]
      .filter((end) => !(end instanceof z.ZodTransform))
      .flatMap(branchesOf);
  }
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(branchesOf);
  if (schema instanceof z.ZodIntersection) {
    return [schema.def.left, schema.def.right].flatMap(branchesOf);
  }
  return schema instanceof z.ZodLazy ? branchesOf(schema.def.getter()) : [schema];
}

function elementsOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.def.element];
  return isAnything(schema) ? [schema] : [];
}

function valuesOf(schema: z.core.$ZodType, key: string): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const { shape, catchall } = schema.def;
    const own: z.core.$ZodType | undefined = Object.hasOwn(shape, key) ? shape[key] : catchall;
    return own === undefined || own instanceof z.ZodNever ? [] : [own];
  }
  if (schema instanceof z.ZodRecord) return [schema.def.valueType];
  return isAnything(schema) ? [schema] : [];
}

function isAnything(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodUnknown || schema instanceof z.ZodAny;
}
