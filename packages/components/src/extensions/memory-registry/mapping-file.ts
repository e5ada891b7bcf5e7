import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import {
  type Mapping,
  type NodeRecord,
  parseMappingLine,
  registryLimits,
} from "@inode-gateway/registry";
import { readLines } from "./read-lines.js";

/** Largest file that is read: about a million mappings with their metadata. */
export const MAPPING_FILE_BYTES_MAX = 268_435_456;

/** Longest line that is read, in characters: every limit of a record reached at once. */
const LINE_LENGTH_MAX = 524_288;

/** One node of a mapping file. */
export interface FileNode {
  readonly node: NodeRecord;
  readonly mappings: readonly Mapping[];
}

/** A line that cannot be used; the message names file and line. */
export class MappingFileError extends Error {
  override readonly name = "MappingFileError";
}

interface Draft {
  readonly mappings: Map<string, { readonly mapping: Mapping; readonly line: number }>;
  readonly devices: Set<number>;
  /** First line without a device. */
  lineWithoutDevice: number | undefined;
}

/**
 * Reads a file of mappings, one JSON object a line; empty lines are skipped.
 *
 * @throws MappingFileError for the first line that cannot be used, and for a file above the limit
 * @throws Error of the file system when the file cannot be read
 */
export async function readMappingFile(path: string): Promise<readonly FileNode[]> {
  await refuseTooLarge(path);
  return await readMappings(createReadStream(path, { encoding: "utf8" }), path);
}

/**
 * Reads mappings from a text that comes in pieces, one JSON object a line; empty lines are skipped.
 *
 * @param source what errors name, such as the path of the file
 * @throws MappingFileError for the first line that cannot be used, and for a text of more than
 *   {@link MAPPING_FILE_BYTES_MAX} characters
 */
export async function readMappings(
  pieces: AsyncIterable<string>,
  source: string,
): Promise<readonly FileNode[]> {
  const lines = readLines(withinLimit(pieces, source), LINE_LENGTH_MAX, (line) => {
    throw new MappingFileError(
      `${source}:${line}: line is longer than ${LINE_LENGTH_MAX} characters, the limit`,
    );
  });
  const drafts = new Map<string, Draft>();
  let line = 0;
  for await (const text of lines) {
    line++;
    if (text.trim() !== "") addLine(drafts, text, source, line);
  }
  return [...drafts].map(([bootId, draft]) => toFileNode(bootId, draft, source));
}

/** A file may grow while it is read, and a pipe has no size to look at before. */
async function* withinLimit(pieces: AsyncIterable<string>, source: string): AsyncGenerator<string> {
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > MAPPING_FILE_BYTES_MAX) {
      throw new MappingFileError(
        `${source} has more than ${MAPPING_FILE_BYTES_MAX} characters, the limit: give it in parts`,
      );
    }
    yield piece;
  }
}

async function refuseTooLarge(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size <= MAPPING_FILE_BYTES_MAX) return;
    throw new MappingFileError(
      `${path} has ${size} bytes, the limit is ${MAPPING_FILE_BYTES_MAX}: use a redis_registry`,
    );
  } finally {
    await handle.close();
  }
}

function addLine(drafts: Map<string, Draft>, text: string, path: string, line: number): void {
  const fail = (problem: string): never => {
    throw new MappingFileError(`${path}:${line}: ${problem}`);
  };
  const { bootId, mapping } = parseLine(text, fail);
  let draft = drafts.get(bootId);
  if (draft === undefined) {
    draft = { mappings: new Map(), devices: new Set(), lineWithoutDevice: undefined };
    drafts.set(bootId, draft);
  }
  if (mapping.device === undefined) draft.lineWithoutDevice ??= line;
  else draft.devices.add(mapping.device);
  if (draft.devices.size > 0 && draft.lineWithoutDevice !== undefined) {
    fail(
      `boot ID ${bootId} has lines with and without \`device\`; on a pure v2 node no line has one, ` +
        "elsewhere every line",
    );
  }
  const key = `${mapping.inode}@${mapping.device ?? ""}`;
  const known = draft.mappings.get(key);
  if (known !== undefined && known.mapping.record.containerId !== mapping.record.containerId) {
    fail(`inode ${mapping.inode} is given another container than in line ${known.line}`);
  }
  draft.mappings.set(key, { mapping, line });
  if (draft.mappings.size > registryLimits.mappingsPerNode) {
    fail(`boot ID ${bootId} has more than ${registryLimits.mappingsPerNode} mappings, the limit`);
  }
}

function parseLine(
  text: string,
  fail: (problem: string) => never,
): { readonly bootId: string; readonly mapping: Mapping } {
  try {
    const { bootId, mapping } = parseMappingLine(text);
    // The kernel writes boot IDs in lower case, and so do lookups.
    return { bootId: bootId.toLowerCase(), mapping };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail(error.message);
  }
}

/** The node as far as its lines tell: a name counts when every line that has one has the same. */
function toFileNode(bootId: string, draft: Draft, path: string): FileNode {
  const mappings = [...draft.mappings.values()].map(({ mapping }) => mapping);
  const nodeName = commonAttribute(mappings, "k8s.node.name");
  const hostId = commonAttribute(mappings, "host.id");
  const devices = [...draft.devices];
  return {
    node: {
      bootId,
      nodeName,
      hostName: commonAttribute(mappings, "host.name") ?? basename(path),
      hostId,
      kernelRelease: "",
      reporterVersion: "",
      hierarchy: devices.length === 0 ? "v2" : "hybrid",
      devices,
    },
    mappings,
  };
}

function commonAttribute(mappings: readonly Mapping[], name: string): string | undefined {
  let common: string | undefined;
  for (const { record } of mappings) {
    const value = record.attributes[name];
    if (typeof value !== "string" || value === "") continue;
    if (common !== undefined && common !== value) return undefined;
    common = value;
  }
  return common;
}
