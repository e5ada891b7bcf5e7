import { parseArgs } from "node:util";
import { nearest } from "@inode-gateway/config";

/** What the user asked for. */
export type Command =
  | { readonly name: "help" | "version" | "components" }
  | { readonly name: "run" | "validate"; readonly sources: SourceFlags }
  | {
      readonly name: "print-config";
      readonly sources: SourceFlags;
      readonly format: "yaml" | "json";
      readonly isRedacted: boolean;
      readonly isValidated: boolean;
    }
  | {
      readonly name: "explain";
      readonly sources: SourceFlags;
      readonly registryId: string | undefined;
      /** Resource attributes by name, as text. */
      readonly attributes: ReadonlyMap<string, string>;
    }
  | {
      readonly name: "registry";
      readonly action: RegistryAction;
      readonly sources: SourceFlags;
      readonly registryId: string | undefined;
      /** Only this node; in lower case, as the kernel writes it. */
      readonly bootId: string | undefined;
      /** File of `import`; undefined reads standard input. */
      readonly file: string | undefined;
    };

/** What `inode-gateway registry` can do. */
export type RegistryAction = "nodes" | "list" | "export" | "import";

/** Values of `--config` and `--set`, in order. */
export interface SourceFlags {
  readonly configs: readonly string[];
  readonly sets: readonly string[];
}

/** The command line cannot be understood; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const commandNames = [
  "run",
  "validate",
  "components",
  "print-config",
  "explain",
  "registry",
] as const;
const registryActions = ["nodes", "list", "export", "import"] as const;

const options = {
  config: { type: "string", multiple: true },
  set: { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
  format: { type: "string" },
  mode: { type: "string" },
  validate: { type: "boolean" },
  registry: { type: "string" },
  attribute: { type: "string", multiple: true },
  "boot-id": { type: "string" },
  inode: { type: "string" },
  device: { type: "string" },
  "node-name": { type: "string" },
} as const;

type OptionName = keyof typeof options;

/** The options each command takes beside `--help`; any other is a mistake worth telling. */
const optionsOf: Readonly<Record<string, readonly OptionName[]>> = {
  run: ["config", "set"],
  validate: ["config", "set"],
  components: [],
  "print-config": ["config", "set", "format", "mode", "validate"],
  explain: ["config", "set", "registry", "attribute", "boot-id", "inode", "device", "node-name"],
  registry: ["config", "set", "registry", "boot-id"],
};

/**
 * Reads the command line.
 *
 * @throws UsageError that names what was written and what is possible
 */
export function parseCommandLine(args: readonly string[]): Command {
  const { values, positionals } = readArguments(args);
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  const [name = "run", ...rest] = positionals;
  if (!commandNames.includes(name as (typeof commandNames)[number])) {
    throw new UsageError(`unknown command "${name}"${suggestion(name, commandNames)}`);
  }
  checkOptions(name, values);
  const maxPositionals = name === "registry" ? 2 : 0;
  if (rest.length > maxPositionals) {
    throw new UsageError(`unexpected argument "${rest[maxPositionals]}" after "${name}"`);
  }
  const sources = { configs: values.config ?? [], sets: values.set ?? [] };
  switch (name) {
    case "components":
      return { name };
    case "print-config":
      return {
        name,
        sources,
        format: oneOf("--format", values.format ?? "yaml", ["yaml", "json"]),
        isRedacted:
          oneOf("--mode", values.mode ?? "redacted", ["redacted", "unredacted"]) === "redacted",
        isValidated: values.validate ?? false,
      };
    case "explain":
      return { name, sources, registryId: values.registry, attributes: explainAttributes(values) };
    case "registry":
      return registryCommand(rest, sources, values);
    default:
      return { name: name === "validate" ? "validate" : "run", sources };
  }
}

type Values = ReturnType<typeof readArguments>["values"];

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(argumentProblem(error as NodeJS.ErrnoException), { cause: error });
  }
}

/** What is wrong, in our words: those of `parseArgs` differ between versions of Node. */
function argumentProblem({ code, message }: NodeJS.ErrnoException): string {
  const written = /'(?:-\w, )?(--?[^' ]+)/.exec(message)?.[1];
  if (written === undefined) return message;
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const names = Object.keys(options).map((option) => `--${option}`);
    return `unknown option ${written}${suggestion(written, names)}`;
  }
  const isText = options[written.slice(2) as OptionName]?.type === "string";
  return isText ? `option ${written} needs a value` : `option ${written} takes no value`;
}

function checkOptions(name: string, values: Values): void {
  const allowed = optionsOf[name] ?? [];
  for (const option of Object.keys(values) as OptionName[]) {
    if (allowed.includes(option)) continue;
    const what = name === "run" ? "running the gateway" : `"${name}"`;
    throw new UsageError(`option --${option} does not go with ${what}`);
  }
}

function registryCommand(rest: readonly string[], sources: SourceFlags, values: Values): Command {
  const [action, file] = rest;
  if (action === undefined) {
    throw new UsageError(`"registry" needs one of: ${registryActions.join(", ")}`);
  }
  if (!registryActions.includes(action as RegistryAction)) {
    throw new UsageError(`unknown action "${action}"${suggestion(action, registryActions)}`);
  }
  if (file !== undefined && action !== "import") {
    throw new UsageError(`unexpected argument "${file}" after "registry ${action}"`);
  }
  if (action === "import" && values["boot-id"] !== undefined) {
    throw new UsageError(
      'option --boot-id does not go with "registry import": every line names its own',
    );
  }
  return {
    name: "registry",
    action: action as RegistryAction,
    sources,
    registryId: values.registry,
    bootId: values["boot-id"]?.toLowerCase(),
    file: file === "-" ? undefined : file,
  };
}

function explainAttributes(values: Values): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  const shortcuts = [
    ["host.boot.id", values["boot-id"]],
    ["container.cgroup.inode", values.inode],
    ["container.cgroup.device", values.device],
    ["k8s.node.name", values["node-name"]],
  ] as const;
  for (const [key, value] of shortcuts) if (value !== undefined) attributes.set(key, value);
  for (const pair of values.attribute ?? []) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new UsageError(`--attribute "${pair}" is not key=value`);
    attributes.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  if (attributes.size === 0) {
    throw new UsageError(
      '"explain" needs at least one of --boot-id, --inode, --attribute key=value',
    );
  }
  return attributes;
}

function oneOf<Value extends string>(
  option: string,
  given: string,
  values: readonly Value[],
): Value {
  const value = values.find((candidate) => candidate === given);
  if (value === undefined) {
    throw new UsageError(`${option} is "${given}", it must be one of: ${values.join(", ")}`);
  }
  return value;
}

function suggestion(written: string, candidates: readonly string[]): string {
  const near = nearest(written, candidates);
  return near === undefined ? ` (one of: ${candidates.join(", ")})` : `, did you mean "${near}"?`;
}
