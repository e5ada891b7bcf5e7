import { parse } from "yaml";
import { readText } from "../docs/repository.js";

/** Names of the environment variables that a configuration file reads. */
export function variablesOf(config: string): ReadonlySet<string> {
  return new Set([...readText(config).matchAll(/\$\{env:([A-Z_]+)/g)].map(([, name = ""]) => name));
}

/** Every port below an endpoint or a `port` key of a configuration file. */
export function portsOf(config: string): ReadonlySet<number> {
  const text = readText(config).replaceAll(/\$\{env:LISTEN_ADDRESS:-localhost\}/g, "localhost");
  const ports = new Set<number>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, below] of Object.entries(value)) {
      const own = /^localhost:(\d+)$/.exec(String(below))?.[1];
      if (key === "endpoint" && own !== undefined) ports.add(Number(own));
      if (key === "port") ports.add(Number(below));
      visit(below);
    }
  };
  visit(parse(text));
  return ports;
}

/** The configuration file of the repository that an argument names inside the image. */
export function configInRepository(args: readonly string[]): string | undefined {
  const path = args[args.indexOf("--config") + 1];
  return path?.replace(/^\/app\//, "");
}
