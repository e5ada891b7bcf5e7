import { isSecret } from "@inode-gateway/config";
import { z } from "zod";

/** The part of JSON Schema that zod writes for what a user may put into a configuration. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly writeOnly?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly $ref?: string;
}

/** What a user may write for a schema: before defaults and transforms. Secrets are `writeOnly`. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ jsonSchema, zodSchema }) => {
      if (isSecret(zodSchema)) jsonSchema.writeOnly = true;
      // What zod says of every integer is no limit of ours.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema & { readonly $schema?: string };
  const { $schema: _, ...rest } = json;
  return rest;
}

/** Whether a schema is `duration()`: Go duration text, or the number 0. */
export function isDuration({ anyOf }: JsonSchema): boolean {
  const [text, zero] = anyOf ?? [];
  return anyOf?.length === 2 && text?.type === "string" && zero?.const === 0;
}
