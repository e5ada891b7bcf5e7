import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import type { ContainerOptions } from "@inode-gateway/testkit";
import { rootFolder } from "./executable.js";

/** Items of each signal that one container sends. */
export const itemsPerSignal = 25;

/** Where containers send to. */
export interface GatewayAddresses {
  /** `host:port` */
  readonly grpc: string;
  /** `host:port` */
  readonly http: string;
}

/** How one container sends its telemetry. */
export interface SenderOptions extends GatewayAddresses {
  /** Value of the Resource attribute `e2e.sender`: tells the containers apart at the backend. */
  readonly sender: string;
  readonly language: "javascript" | "python";
  /** Protocol of its traces; metrics and logs always go over HTTP. */
  readonly protocol: "grpc" | "http";
  /** Further Resource attributes, such as a wrong `container.id`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

const applications = `${rootFolder}test/e2e/applications`;
const pythonBinary = `${rootFolder}.cache/python/bin/python3`;

/** Folders of the host that applications in these languages need, beside /usr. */
export function applicationMounts(languages: readonly SenderOptions["language"][]): string[] {
  const folders = [rootFolder.replace(/\/$/, ""), dirname(process.execPath)];
  if (languages.includes("python")) folders.push(pythonBasePrefix());
  return [...new Set(folders)].filter((folder) => !`${folder}/`.startsWith("/usr/"));
}

/** Where the interpreter behind the virtual environment lies. */
function pythonBasePrefix(): string {
  const args = ["-c", "import sys; print(sys.base_prefix)"];
  return execFileSync(pythonBinary, args, { encoding: "utf8" }).trim();
}

/** The command and environment of a container that sends with a real SDK. */
export function senderContainer(options: SenderOptions): ContainerOptions {
  const { sender, language, protocol, grpc, http, attributes } = options;
  const all = { "service.name": sender, "e2e.sender": sender, ...attributes };
  const environment = {
    OTEL_RESOURCE_ATTRIBUTES: Object.entries(all)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${http}`,
    OTLP_GRPC_ENDPOINT: language === "python" ? grpc : `http://${grpc}`,
  };
  const args = [protocol, String(itemsPerSignal)];
  if (language === "javascript") {
    const script = `${applications}/application.mjs`;
    return { command: [process.execPath, script, ...args], environment };
  }
  // The shell line that the documentation gives for SDKs in any language.
  const line = `. ${rootFolder}packages/resource-detector/otel-inode.sh && exec "$@"`;
  const python = [pythonBinary, `${applications}/application.py`, ...args];
  return { command: ["sh", "-c", line, "_", ...python], environment };
}
