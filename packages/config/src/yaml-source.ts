import { LineCounter, parseDocument, type ScalarTag } from "yaml";
import { ConfigurationError, type ConfigurationProblem } from "./configuration-error.js";

/** Aliases that one document may resolve; more is a "billion laughs" document, not a configuration. */
const ALIASES_MAX = 100;

/** The largest configuration file, and the largest value of one `${...}`. */
export const SOURCE_BYTES_MAX = 4_194_304;

/** Numbers with `_` between their digits, such as `5_000`: Go's YAML knows them, and so do the Collector's files. */
const numberWithUnderscores: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  test: /^[-+]?(?=[^_]*_)(?:0x[\da-f_]+|0o[0-7_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d+)?)$/i,
  resolve: (text) => {
    const digits = text.replace(/^[-+]/, "").replaceAll("_", "").toLowerCase();
    return text.startsWith("-") ? -Number(digits) : Number(digits);
  },
};

/**
 * Reads one YAML 1.2 (core schema) document with numbers such as `5_000`; merge keys (`<<`) are understood, repeated keys refused.
 *
 * @param name what the text is called in messages, such as its file
 * @throws ConfigurationError with one problem for each fault, each as `name:line:column: what`
 */
export function parseYaml(text: string, name: string): unknown {
  const lines = new LineCounter();
  const document = read(() =>
    parseDocument(text, {
      version: "1.2",
      schema: "core",
      customTags: (tags) => [...tags, numberWithUnderscores],
      merge: true,
      uniqueKeys: true,
      prettyErrors: false,
      lineCounter: lines,
    }),
  );
  if (document instanceof Error) throw refusal(name, document.message);
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new ConfigurationError(
      faults.map((fault): ConfigurationProblem => {
        const { line, col } = lines.linePos(fault.pos[0]);
        const message =
          fault.code === "DUPLICATE_KEY" ? repeatedKey(text, fault.pos[0]) : fault.message;
        return { path: "", message: `${name}:${line}:${col}: ${message}` };
      }),
    );
  }
  const value = read(() => document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown);
  if (value instanceof Error) throw refusal(name, value.message);
  return value;
}

/** The value of a text when it is YAML of anything but a string; undefined for text. */
export function parseYamlValue(text: string): { readonly value: unknown } | undefined {
  try {
    const value = parseYaml(text, "value");
    return typeof value === "string" ? undefined : { value };
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}

// Too deep a nesting overflows the stack of the parser; that is a fault of the text, not of ours.
function read<T>(parse: () => T): T | Error {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) return new Error("is nested too deeply");
    return error instanceof Error ? error : new Error(String(error));
  }
}

function refusal(name: string, message: string): ConfigurationError {
  return new ConfigurationError([{ path: "", message: `${name}: ${message}` }]);
}

function repeatedKey(text: string, offset: number): string {
  const key = /^[^\s:]{1,64}/.exec(text.slice(offset, offset + 64))?.[0] ?? "";
  return `key \`${key}\` is there twice`;
}
