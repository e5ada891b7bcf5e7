import type { InodeKey, LookupAnswer } from "../container-registry.js";
import type { RegistryKeys } from "./keys.js";
import { listOf, numberOf, recordsOf, textOf, UnexpectedReplyError } from "./replies.js";
import type { ScriptCall } from "./run-scripts.js";
import { scripts } from "./scripts.js";

/** Keys in one call of the Lua command: it runs alone in Redis, so it must be short. */
const keysPerCommand = 256;

/** What all questions share. */
export interface QuestionSettings {
  readonly keys: RegistryKeys;
  readonly heartbeatTimeoutMs: number;
  readonly nodeRetentionMs: number;
  /** Empty for the server's clock. */
  readonly now: string;
}

/** One node's part of a round trip. */
export interface Question {
  readonly call: ScriptCall;
  /** Where its answers belong among all keys. */
  readonly positions: readonly number[];
}

/** The questions for `keys`: one per node, several where a node has more keys than one may hold. */
export function questionsFor(keys: readonly InodeKey[], settings: QuestionSettings): Question[] {
  const byNode = new Map<string, number[]>();
  for (const [position, { bootId }] of keys.entries()) {
    const positions = byNode.get(bootId);
    if (positions === undefined) byNode.set(bootId, [position]);
    else positions.push(position);
  }
  const questions: Question[] = [];
  for (const [bootId, all] of byNode) {
    for (let from = 0; from < all.length; from += keysPerCommand) {
      const positions = all.slice(from, from + keysPerCommand);
      questions.push({ positions, call: callFor(bootId, positions, keys, settings) });
    }
  }
  return questions;
}

function callFor(
  bootId: string,
  positions: readonly number[],
  keys: readonly InodeKey[],
  settings: QuestionSettings,
): ScriptCall {
  const node = settings.keys.ofNode(bootId);
  const fields = positions.map((position) => {
    const key = keys[position];
    return key?.device === undefined ? `${key?.inode}` : `${key.inode}@${key.device}`;
  });
  return {
    script: scripts.lookupInodes,
    keys: [node.node, node.containers, node.buckets],
    arguments: [settings.now, settings.heartbeatTimeoutMs, settings.nodeRetentionMs, ...fields],
  };
}

/**
 * The answers of one question, in the order of its positions.
 *
 * @throws Error when Redis answered with one, or with something else than the command's result
 */
export function answersOf(reply: unknown, bootId: string, count: number): LookupAnswer[] {
  const [state, answers, containers] = listOf(reply, "an answer");
  const outcome = outcomeOfMiss(textOf(state, "a node's state"));
  if (outcome === "unknown_node" || outcome === "ambiguous") {
    return new Array(count).fill({ outcome });
  }
  const found = recordsOf(containers).map(
    (record): LookupAnswer => ({ outcome: "found", record, bootId }),
  );
  const list = listOf(answers, "an answer");
  if (list.length !== count) throw new UnexpectedReplyError("an answer");
  return list.map((value): LookupAnswer => {
    const position = numberOf(value, "an answer");
    if (position < 0) return { outcome: "ambiguous" };
    return found[position - 1] ?? { outcome };
  });
}

function outcomeOfMiss(
  state: string,
): "unknown_node" | "ambiguous" | "unknown_inode" | "stale_node" {
  switch (state) {
    case "unknown":
      return "unknown_node";
    case "conflicted":
      return "ambiguous";
    case "alive":
      return "unknown_inode";
    case "stale":
      return "stale_node";
    default:
      throw new UnexpectedReplyError("a node's state");
  }
}
