import { z } from "zod";

/** The schemas that may apply to one value, wrappers taken off. */
export function branchesOf(schema: z.core.$ZodType): z.core.$ZodType[] {
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

/** The schemas of a list's entries. */
export function elementsOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.def.element];
  return isAnything(schema) ? [schema] : [];
}

/** The schemas of what stands under one key. */
export function valuesOf(schema: z.core.$ZodType, key: string): z.core.$ZodType[] {
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
