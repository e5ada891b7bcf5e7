import { joinRetryDelay, splitRetryDelay } from "./retry-delay.js";
import { RETRY_INFO_TYPE, type Status } from "./status.js";
import { STATUS_BYTES_MAX, STATUS_DETAILS_MAX } from "./status-bytes.js";

/**
 * Writes a google.rpc.Status as protobuf JSON, such as
 * `{"code":14,"message":"full","details":[{"@type":"…google.rpc.RetryInfo","retryDelay":"1.5s"}]}`.
 *
 * @throws RangeError when `retryDelayMs` is negative, not a number or above `RETRY_DELAY_MS_MAX`
 */
export function statusToJson(status: Status): string {
  const { code, message, retryDelayMs } = status;
  if (retryDelayMs === undefined) return JSON.stringify({ code, message });
  const retryInfo = { "@type": RETRY_INFO_TYPE, retryDelay: formatDuration(retryDelayMs) };
  return JSON.stringify({ code, message, details: [retryInfo] });
}

/**
 * Reads a google.rpc.Status from protobuf JSON; details other than google.rpc.RetryInfo, unknown
 * keys, and a RetryInfo without a readable delay are skipped.
 *
 * `code` may be absent (OTLP/HTTP allows it) and is 0 then; decimal text is taken for a number.
 *
 * @throws RangeError when the text is no JSON object, a known key has a value of another type, or
 *   there are more than `STATUS_BYTES_MAX` characters
 */
export function statusFromJson(json: string): Status {
  if (json.length > STATUS_BYTES_MAX) {
    throw new RangeError(
      `status is ${json.length} characters, at most ${STATUS_BYTES_MAX} are read`,
    );
  }
  const object = parseObject(json);
  const code = readCode(object["code"]);
  const message = object["message"] ?? "";
  if (typeof message !== "string") throw new RangeError("`message` of the status is not a string");
  const retryDelayMs = readDetails(object["details"] ?? []);
  return retryDelayMs === undefined ? { code, message } : { code, message, retryDelayMs };
}

function parseObject(json: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new RangeError(`status is no JSON: ${String(error)}`, { cause: error });
  }
  if (!isRecord(value)) throw new RangeError("status is no JSON object");
  return value;
}

function readCode(value: unknown): number {
  const code = value ?? 0;
  const isDecimal = typeof code === "string" && /^-?\d{1,10}$/.test(code);
  const number = isDecimal ? Number(code) : code;
  if (typeof number === "number" && Number.isInteger(number) && number === (number | 0)) {
    return number;
  }
  throw new RangeError(`\`code\` of the status is ${JSON.stringify(value)}, not a 32-bit integer`);
}

function readDetails(details: unknown): number | undefined {
  if (!Array.isArray(details)) throw new RangeError("`details` of the status is not an array");
  for (const detail of details.slice(0, STATUS_DETAILS_MAX)) {
    if (!isRecord(detail)) continue;
    const type = detail["@type"];
    if (typeof type !== "string" || !/(^|\/)google\.rpc\.RetryInfo$/.test(type)) continue;
    const delayMs = parseDuration(detail["retryDelay"] ?? detail["retry_delay"]);
    if (delayMs !== undefined) return delayMs;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// The JSON form of google.protobuf.Duration: seconds with up to nine decimals and the letter s.
function parseDuration(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const match = /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value);
  if (match === null) return undefined;
  const nanos = Number((match[2] ?? "").padEnd(9, "0"));
  return joinRetryDelay(Number(match[1]), nanos);
}

function formatDuration(delayMs: number): string {
  const { seconds, nanos } = splitRetryDelay(delayMs);
  if (nanos === 0) return `${seconds}s`;
  return `${seconds}.${String(nanos)
    .padStart(9, "0")
    .replace(/(000){1,2}$/, "")}s`;
}
