import type { ContainerRecord, NodeRecord } from "../container-registry.js";

/** A reply of a shape that our own commands do not give: somebody else wrote our keys. */
export class UnexpectedReplyError extends Error {
  constructor(what: string) {
    super(`${what} in Redis is not as this version writes it; does another program use the keys`);
    this.name = "UnexpectedReplyError";
  }
}

/** The elements of a reply that must be a list. */
export function listOf(reply: unknown, what: string): readonly unknown[] {
  if (reply instanceof Error) throw reply;
  if (!Array.isArray(reply)) throw new UnexpectedReplyError(what);
  return reply;
}

/** A reply that must be text. */
export function textOf(reply: unknown, what: string): string {
  if (reply instanceof Error) throw reply;
  if (typeof reply !== "string") throw new UnexpectedReplyError(what);
  return reply;
}

/** A reply that must be a number, or text that is one. */
export function numberOf(reply: unknown, what: string): number {
  if (reply instanceof Error) throw reply;
  const value = typeof reply === "string" && reply !== "" ? Number(reply) : reply;
  if (typeof value !== "number" || Number.isNaN(value)) throw new UnexpectedReplyError(what);
  return value;
}

/** Records from a list of container IDs and attributes in turn. */
export function recordsOf(reply: unknown): ContainerRecord[] {
  const list = listOf(reply, "a list of containers");
  const records: ContainerRecord[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const containerId = textOf(list[index], "a container ID");
    const attributes = parseObject(textOf(list[index + 1], "a container's attributes"));
    records.push({ containerId, attributes: attributes as Record<string, string | number> });
  }
  return records;
}

/** The node of a stored JSON text. */
export function nodeRecordOf(reply: unknown): NodeRecord {
  const node = parseObject(textOf(reply, "a node's record")) as unknown as NodeRecord;
  const isComplete = typeof node.bootId === "string" && typeof node.hostName === "string";
  if (!isComplete || !Array.isArray(node.devices))
    throw new UnexpectedReplyError("a node's record");
  return node;
}

/** Unix milliseconds of a reply to TIME. */
export function unixMsOf(reply: unknown): number {
  const [seconds, microseconds] = listOf(reply, "the time");
  return (
    numberOf(seconds, "the time") * 1_000 + Math.floor(numberOf(microseconds, "the time") / 1_000)
  );
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, in the words for whoever has to look.
  }
  throw new UnexpectedReplyError("a record");
}
