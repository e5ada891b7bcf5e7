import type { Mapping } from "./container-registry.js";
import { isBootId, isDevice, isInode, registryLimits, reservedAttributeNames } from "./limits.js";

/** One line of `registry export`, read back. */
export interface MappingLine {
  readonly bootId: string;
  readonly mapping: Mapping;
}

/** Longest line that is read, in characters: every limit of a record reached at once. */
const lineLengthMax = 524_288;

/**
 * One line of `registry export`, without its line feed: a JSON object of `boot_id`, `device` (where
 * there is one), `inode`, `container_id`, then every attribute by its name.
 *
 * @throws RangeError when an attribute has the name of one of these four
 */
export function formatMappingLine(bootId: string, mapping: Mapping): string {
  const { inode, device, record } = mapping;
  for (const name of Object.keys(record.attributes)) {
    if (reservedAttributeNames.has(name)) {
      throw new RangeError(
        `attribute \`${name}\` of container ${record.containerId} has the name of a line's own key`,
      );
    }
  }
  return JSON.stringify({
    boot_id: bootId,
    ...(device === undefined ? {} : { device }),
    inode,
    container_id: record.containerId,
    ...record.attributes,
  });
}

/**
 * Reads one line of `registry export`. `inode` and `device` may be decimal text too, as OTLP's JSON
 * writes 64-bit numbers.
 *
 * @throws RangeError naming the key, the value and what it should be
 */
export function parseMappingLine(line: string): MappingLine {
  const fields = parseObject(line);
  const bootId = fields["boot_id"];
  if (typeof bootId !== "string" || !isBootId(bootId)) {
    throw unfit("boot_id", bootId, 'text of 1 to 64 letters, digits, "_", "." or "-"');
  }
  const inode = numberOf(fields["inode"]);
  if (inode === undefined || !isInode(inode)) {
    throw unfit("inode", fields["inode"], "an integer from 3 to 2^53 - 1, or that as text");
  }
  const containerId = fields["container_id"];
  if (typeof containerId !== "string" || !isContainerId(containerId)) {
    const limit = registryLimits.containerIdLength;
    throw unfit("container_id", containerId, `text of 1 to ${limit} characters`);
  }
  const record = { containerId, attributes: attributesOf(fields) };
  if (fields["device"] === undefined || fields["device"] === null) {
    return { bootId, mapping: { inode, record } };
  }
  const device = numberOf(fields["device"]);
  if (device === undefined || !isDevice(device)) {
    const limit = registryLimits.device;
    throw unfit("device", fields["device"], `an integer from 0 to ${limit}, or that as text`);
  }
  return { bootId, mapping: { inode, device, record } };
}

function parseObject(line: string): Record<string, unknown> {
  if (line.length > lineLengthMax) {
    throw new RangeError(`line has ${line.length} characters, the limit is ${lineLengthMax}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`line is not JSON: ${reason}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RangeError(`line is ${shown(value)}, it must be a JSON object`);
  }
  return value as Record<string, unknown>;
}

function attributesOf(fields: Record<string, unknown>): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (reservedAttributeNames.has(name)) continue;
    if (name === "" || name === "__proto__") throw unfit(name, value, "under another name");
    const isNumber = typeof value === "number" && Number.isFinite(value);
    if (typeof value !== "string" && !isNumber) throw unfit(name, value, "text or a number");
    attributes[name] = value;
  }
  return attributes;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}

function isContainerId(text: string): boolean {
  return text.length > 0 && text.length <= registryLimits.containerIdLength;
}

function unfit(key: string, value: unknown, expected: string): RangeError {
  if (value === undefined) return new RangeError(`\`${key}\` is missing, it must be ${expected}`);
  return new RangeError(`\`${key}\` is ${shown(value)}, it must be ${expected}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
