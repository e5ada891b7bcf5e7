import type { ConfigurationProblem } from "./configuration-error.js";
import { ExpandedValue, isMap, setOwn } from "./expanded-value.js";
import { KEY_DELIMITER } from "./merge.js";
import { readSourceFile } from "./read-source.js";
import { parseReferences, type Reference, type Segment } from "./reference.js";
import { parseYamlValue, SOURCE_BYTES_MAX } from "./yaml-source.js";

/** `${...}` in one configuration, nested ones and those in substituted values included. */
export const EXPANSIONS_MAX = 1_000;

/** Characters of all substituted values together: four of the largest files. */
const EXPANDED_CHARACTERS_MAX = 4 * SOURCE_BYTES_MAX;

const VARIABLE_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;

/** A configuration after substitution. */
export interface SubstitutedTree {
  readonly root: unknown;
  readonly problems: readonly ConfigurationProblem[];
  readonly warnings: readonly string[];
}

/**
 * Replaces every `${...}` in the values of a tree; keys are left alone.
 *
 * A value that is one reference and nothing else may become anything that YAML can say; within longer
 * text the substituted text is inserted as it is. Values are searched for further references.
 */
export async function substitute(
  tree: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SubstitutedTree> {
  const substitution = new Substitution(environment);
  const root = await substitution.expandTree(tree, []);
  return { root, problems: substitution.problems, warnings: [...substitution.warnings] };
}

class Substitution {
  readonly problems: ConfigurationProblem[] = [];
  readonly warnings = new Set<string>();
  readonly #environment: Readonly<Record<string, string | undefined>>;
  #expansions = 0;
  #characters = 0;
  #isExhausted = false;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  async expandTree(tree: unknown, path: readonly string[]): Promise<unknown> {
    if (typeof tree === "string") return tree.includes("$") ? this.#expandLeaf(tree, path) : tree;
    if (Array.isArray(tree)) {
      const list: unknown[] = [];
      for (const [index, entry] of tree.entries()) {
        list.push(await this.expandTree(entry, [...path, String(index)]));
      }
      return list;
    }
    if (!isMap(tree)) return tree;
    const map: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(tree)) {
      setOwn(map, key, await this.expandTree(value, [...path, key]));
    }
    return map;
  }

  async #expandLeaf(text: string, path: readonly string[]): Promise<unknown> {
    try {
      return await this.#expandValue(text, path);
    } catch (error) {
      // Once the limit is passed every later reference would say the same.
      if (!this.#isExhausted || !(error instanceof LimitError)) {
        const message = error instanceof Error ? error.message : String(error);
        this.problems.push({ path: path.join(KEY_DELIMITER), message });
      }
      this.#isExhausted ||= error instanceof LimitError;
      return undefined;
    }
  }

  async #expandValue(text: string, path: readonly string[]): Promise<unknown> {
    const segments = parseReferences(text);
    const [only] = segments;
    if (segments.length !== 1 || only === undefined || typeof only === "string") {
      return this.#join(segments);
    }
    const retrieved = await this.#retrieve(only);
    const yaml = parseYamlValue(retrieved);
    if (yaml === undefined) return this.#expandValue(retrieved, path);
    const value = await this.expandTree(yaml.value, path);
    return new ExpandedValue(value, await this.#originalOf(retrieved));
  }

  // A comment in a YAML value may hold what looks like a reference: it spoils the text, not the value.
  async #originalOf(retrieved: string): Promise<string | undefined> {
    const before = [...this.warnings];
    try {
      return await this.#join(parseReferences(retrieved));
    } catch (error) {
      if (error instanceof LimitError) throw error;
      return undefined;
    } finally {
      this.warnings.clear();
      for (const warning of before) this.warnings.add(warning);
    }
  }

  async #join(segments: readonly Segment[]): Promise<string> {
    let text = "";
    for (const segment of segments) {
      text +=
        typeof segment === "string"
          ? segment
          : await this.#join(parseReferences(await this.#retrieve(segment)));
    }
    return text;
  }

  async #retrieve(reference: Reference): Promise<string> {
    this.#expansions++;
    if (this.#expansions > EXPANSIONS_MAX) {
      throw new LimitError(
        `more than ${EXPANSIONS_MAX} substitutions: is one of the values its own source?`,
      );
    }
    const text = await this.#read(await this.#join(reference.segments));
    this.#characters += text.length;
    if (this.#characters > EXPANDED_CHARACTERS_MAX) {
      throw new LimitError(
        `substituted values are longer than ${EXPANDED_CHARACTERS_MAX} characters`,
      );
    }
    return text;
  }

  #read(content: string): string | Promise<string> {
    if (!content.includes(":")) return this.#variable(content, undefined);
    const [, scheme = "", rest = ""] = SCHEME.exec(content) ?? [];
    switch (scheme) {
      case "env": {
        const split = rest.indexOf(":-");
        if (split < 0) return this.#variable(rest, undefined);
        return this.#variable(rest.slice(0, split), rest.slice(split + 2));
      }
      case "yaml":
        return rest;
      case "file":
        return readReferencedFile(rest);
      default:
        throw new Error(unsupported(content, scheme));
    }
  }

  #variable(name: string, defaultText: string | undefined): string {
    if (!VARIABLE_NAME.test(name)) {
      throw new Error(
        `environment variable ${JSON.stringify(name)} has invalid name: must match regex ${VARIABLE_NAME.source}`,
      );
    }
    const value = Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
    if (value !== undefined) return value;
    if (defaultText === undefined) {
      this.warnings.add(`environment variable \`${name}\` is not set and is taken as empty`);
    }
    return defaultText ?? "";
  }
}

/** The configuration as a whole asks for too much. */
class LimitError extends Error {
  override readonly name = "LimitError";
}

// Editors and `kubectl create secret` end a file with a line break that nobody means to be in a value.
async function readReferencedFile(path: string): Promise<string> {
  try {
    return (await readSourceFile(path)).replace(/\r?\n$/, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`\${file:${path}} cannot be read: ${reason}`, { cause: error });
  }
}

function unsupported(content: string, scheme: string): string {
  const [name = ""] = content.split(":", 1);
  if (scheme === "http" || scheme === "https") {
    return `\${${scheme}:...} is not supported: fetch the document yourself and use \${file:...}`;
  }
  if (VARIABLE_NAME.test(name) && content.startsWith(`${name}:-`)) {
    return `a default needs the scheme: write \${env:${name}:-...}`;
  }
  return `scheme ${JSON.stringify(name)} is not supported, supported are env, file and yaml`;
}
