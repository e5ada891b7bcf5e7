import type { Mapping, MappingKey, NodeRecord } from "../container-registry.js";
import { registryLimits } from "../limits.js";
import { claimOf, fieldOf } from "../mapping-field.js";
import { namesThatAreSet } from "../node-names.js";
import type { RegistryTimes } from "../registry-options.js";
import type { RegistryKeys } from "./keys.js";
import { publishedKeysMax } from "./publications.js";
import { listOf, numberOf, textOf } from "./replies.js";
import type { ScriptCall } from "./run-scripts.js";
import { scripts } from "./scripts.js";

/** Mappings in one call of the Lua command: about a millisecond of Redis. */
const mappingsPerCommand = 256;
/** Mappings that one heartbeat's call forgets; it is called again while there are more. */
export const forgottenPerCommand = 256;
/** Old entries that one call takes out of an index. */
const indexEntriesPerCommand = 100;

/** What all calls about nodes share. */
export interface NodeCallSettings {
  readonly keys: RegistryKeys;
  readonly times: Required<RegistryTimes>;
  /** Empty for the server's clock. */
  readonly now: string;
}

/** How a reporter's claim on its node ended; the words are those of the Lua commands. */
export interface ClaimResult {
  readonly claim: "accepted" | "created" | "took_over" | "refused";
  /** Who speaks for the node. */
  readonly owner: string;
}

/** Result of {@link writeCalls}' calls. */
export interface WriteResult extends ClaimResult {
  readonly changed: number;
  /** Not stored, since the node has as many mappings as it may. */
  readonly refused: number;
  readonly vanished: number;
}

/** Calls that publish and mark as vanished: as few as the limit of one call allows. */
export function writeCalls(
  node: NodeRecord,
  published: readonly Mapping[],
  vanished: readonly MappingKey[],
  settings: NodeCallSettings,
): ScriptCall[] {
  const keys = Object.values(settings.keys.ofNode(node.bootId));
  const calls: ScriptCall[] = [];
  const count = Math.max(published.length, vanished.length, 1);
  for (let from = 0; from < count; from += mappingsPerCommand) {
    const some = published.slice(from, from + mappingsPerCommand);
    const gone = vanished.slice(from, from + mappingsPerCommand);
    const attributes = new Map<string, string>();
    for (const { record } of some) {
      attributes.set(record.containerId, JSON.stringify(record.attributes));
    }
    calls.push({
      script: scripts.writeMappings,
      keys,
      arguments: [
        ...claimArguments(node, settings),
        registryLimits.mappingsPerNode,
        publishedKeysMax,
        attributes.size,
        some.length,
        gone.length,
        ...[...attributes].flat(),
        ...some.flatMap((mapping) => [fieldOf(node, mapping), mapping.record.containerId]),
        ...gone.map((key) => fieldOf(node, key)),
      ],
    });
  }
  return calls;
}

export function writeResultOf(reply: unknown): WriteResult {
  const [, , changed, refused, vanished] = listOf(reply, "a result");
  return {
    ...claimResultOf(reply),
    changed: numberOf(changed, "a result"),
    refused: numberOf(refused, "a result"),
    vanished: numberOf(vanished, "a result"),
  };
}

/** The call of a heartbeat, which also forgets what has outlived its retention. */
export function refreshCall(node: NodeRecord, settings: NodeCallSettings): ScriptCall {
  return {
    script: scripts.refreshNode,
    keys: Object.values(settings.keys.ofNode(node.bootId)),
    arguments: [...claimArguments(node, settings), settings.times.retentionMs, forgottenPerCommand],
  };
}

export function refreshResultOf(reply: unknown): ClaimResult & { readonly forgotten: number } {
  const [, , forgotten] = listOf(reply, "a result");
  return { ...claimResultOf(reply), forgotten: numberOf(forgotten, "a result") };
}

/** Calls that make a node findable: by listing it, and by its names. */
export function indexCalls(node: NodeRecord, settings: NodeCallSettings): ScriptCall[] {
  const { keys, times, now } = settings;
  const indexes = namesThatAreSet(node).map(({ kind, name }) => keys.nodesNamed(kind, name));
  return [keys.nodes, ...indexes].map((index) => ({
    script: scripts.touchIndex,
    keys: [index],
    arguments: [now, node.bootId, times.nodeRetentionMs, indexEntriesPerCommand],
  }));
}

function claimArguments(node: NodeRecord, settings: NodeCallSettings): (string | number)[] {
  return [
    settings.now,
    claimOf(node),
    JSON.stringify(node),
    node.hierarchy,
    node.devices.join(","),
    settings.times.heartbeatTimeoutMs,
    settings.times.nodeRetentionMs,
    settings.keys.publications,
    node.bootId,
  ];
}

function claimResultOf(reply: unknown): ClaimResult {
  const [claim, owner] = listOf(reply, "a result");
  const word = textOf(claim, "a result");
  const isKnown =
    word === "accepted" || word === "created" || word === "took_over" || word === "refused";
  if (!isKnown) throw new Error(`the Lua command gave an unknown claim result, \`${word}\``);
  return { claim: word, owner: textOf(owner, "a result") };
}
