import type { Redis } from "ioredis";
import { type RedisScript, scripts } from "./scripts.js";

/** One call of a Lua command. */
export interface ScriptCall {
  readonly script: RedisScript;
  readonly keys: readonly string[];
  readonly arguments: readonly (string | number)[];
}

/** Gives Redis all Lua commands at once, so that calls can name them by their hash. */
export async function loadScripts(client: Redis): Promise<void> {
  const pipeline = client.pipeline();
  for (const script of Object.values(scripts)) pipeline.script("LOAD", script.text);
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}

/**
 * Runs many calls in one round trip; replies stand in the order of the calls, an Error where one
 * failed.
 *
 * A call that Redis does not know (its script cache was flushed) is made once more with its text.
 */
export async function runScripts(client: Redis, calls: readonly ScriptCall[]): Promise<unknown[]> {
  const replies = await exec(client, calls, false);
  const unknown = calls.filter((_, index) => isUnknownScript(replies[index]));
  if (unknown.length === 0) return replies;
  const again = await exec(client, unknown, true);
  let next = 0;
  return replies.map((reply) => (isUnknownScript(reply) ? again[next++] : reply));
}

async function exec(
  client: Redis,
  calls: readonly ScriptCall[],
  withText: boolean,
): Promise<unknown[]> {
  const pipeline = client.pipeline();
  for (const { script, keys, arguments: given } of calls) {
    if (withText) pipeline.eval(script.text, script.keyCount, ...keys, ...given);
    else pipeline.evalsha(script.sha1, script.keyCount, ...keys, ...given);
  }
  const results = await pipeline.exec();
  return (results ?? []).map(([error, reply]) => error ?? reply);
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith("NOSCRIPT");
}
