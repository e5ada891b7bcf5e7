import type { Mapping } from "../container-registry.js";
import { keyOfField } from "../mapping-field.js";
import type { RegistryKeys } from "./keys.js";
import type { RedisLink } from "./redis-link.js";
import { listOf, numberOf, recordsOf, textOf, UnexpectedReplyError } from "./replies.js";
import { runScripts } from "./run-scripts.js";
import { scripts } from "./scripts.js";

/** A mapping as it stands in a bucket. */
export interface StoredMapping {
  readonly field: string;
  readonly mapping: Mapping;
  readonly hasVanished: boolean;
}

/** More buckets than a node ever has: an answer beyond it is not ours. */
const bucketsMax = 512;

/**
 * Every mapping of a node, bucket by bucket.
 *
 * What is published or forgotten meanwhile may or may not be among them; everything else is, once or
 * more. Buckets that double meanwhile keep their order, so the walk goes on at the same place.
 */
export async function* storedMappings(
  link: RedisLink,
  keys: RegistryKeys,
  bootId: string,
): AsyncGenerator<StoredMapping> {
  const node = Object.values(keys.ofNode(bootId));
  let bucketCount = 1;
  for (let bucket = 0; bucket < bucketCount; ) {
    const call = { script: scripts.readBucket, keys: node, arguments: [bucket, bucketCount] };
    const [reply] = await link.run((client) => runScripts(client, [call]));
    const [count, mappings, containers] = listOf(reply, "a bucket");
    const actualCount = numberOf(count, "a bucket");
    if (actualCount > bucketsMax) throw new UnexpectedReplyError("a node's number of buckets");
    // Fewer: the node was taken over or forgotten, and what is there now is another one's.
    if (actualCount < bucketCount) return;
    if (actualCount > bucketCount) {
      bucket *= actualCount / bucketCount;
      bucketCount = actualCount;
      continue;
    }
    yield* bucketMappings(mappings, containers);
    bucket++;
  }
}

function* bucketMappings(reply: unknown, containers: unknown): Generator<StoredMapping> {
  const records = new Map(recordsOf(containers).map((record) => [record.containerId, record]));
  const list = listOf(reply, "a bucket's mappings");
  for (let index = 0; index + 2 < list.length; index += 3) {
    const field = textOf(list[index], "a mapping");
    const key = keyOfField(field);
    const record = records.get(textOf(list[index + 1], "a mapping"));
    if (key === undefined || record === undefined) throw new UnexpectedReplyError("a mapping");
    yield { field, mapping: { ...key, record }, hasVanished: list[index + 2] !== "" };
  }
}
