import { headerBlock } from "../conformance/floods/frames.js";
import { oneOf, type Random } from "../conformance/mutated-requests.js";

/** Header fields in the order in which they are sent. */
export type HeaderFields = readonly (readonly [name: string, value: string])[];

const LITERAL_WITH_INDEXING = 0x40;
const LITERAL_NEVER_INDEXED = 0x10;

/** A header block of literal fields, some of which the receiver is told to remember. */
export function headerBytes(random: Random, fields: HeaderFields): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      const bytes = headerBlock([field]);
      bytes[0] = oneOf(random, [0, 0, LITERAL_WITH_INDEXING, LITERAL_NEVER_INDEXED]);
      return bytes;
    }),
  );
}

const extraFields: HeaderFields = [
  [":method", "GET"],
  [":path", "/"],
  [":status", "200"],
  [":protocol", "websocket"],
  [":unknown", "x"],
  ["", "x"],
  ["A", "x"],
  ["a b", "x"],
  ["a\u0000", "x"],
  ["a", "\u0000"],
  ["a", "b\r\nc: d"],
  ["a", "\u00ff\u0080"],
  ["a", " padded "],
  ["connection", "close"],
  ["transfer-encoding", "chunked"],
  ["upgrade", "h2c"],
  ["host", "other"],
  ["te", "gzip"],
  ["cookie", "a=b"],
  ["content-length", "0"],
  ["content-length", "-1"],
  ["content-length", "99999999999999999999"],
  ["content-length", "7"],
  ["content-type", "application/grpc+json"],
  ["content-type", "application/grpc; charset=x"],
  ["content-encoding", "gzip"],
  ["expect", "100-continue"],
  ["grpc-encoding", "br"],
  ["grpc-encoding", ""],
  ["grpc-encoding", "gzip,deflate"],
  ["grpc-accept-encoding", "\u00e9"],
  ["grpc-timeout", "1n"],
  ["grpc-timeout", "99999999H"],
  ["grpc-timeout", "999999999S"],
  ["grpc-timeout", "-1S"],
  ["grpc-timeout", "5"],
  ["grpc-timeout", "S"],
  ["grpc-trace-bin", "not base64 !"],
  ["grpc-trace-bin", "AAAA"],
  ["grpc-status", "0"],
  ["grpc-message", "%"],
  ["user-agent", "x".repeat(5_000)],
  ["__proto__", "x"],
  ["constructor", "x"],
  ["datadog-entity-id", "in-99999999999999999999"],
  ["a", "x".repeat(40_000)],
  ["x".repeat(9_000), "y"],
];
const values = ["", " ", "\u0000", "\u00ff", "x", "*", "%", "/", "POST", "PUT", "http", "ftp"];

type HeaderMutation = (random: Random, fields: [string, string][], at: number) => void;

const headerMutations: readonly HeaderMutation[] = [
  (_random, fields, at) => void fields.splice(at, 1),
  (_random, fields, at) => void fields.splice(at, 0, ...fields.slice(at, at + 1)),
  (random, fields, at) => {
    fields.splice(Math.floor(random() * fields.length), 0, ...fields.splice(at, 1));
  },
  (random, fields, at) => {
    const [name = ""] = fields[at] ?? [];
    fields[at] = [name, oneOf(random, values)];
  },
  (random, fields, at) => {
    const [name = "", value = ""] = fields[at] ?? [];
    fields[at] = random() < 0.5 ? [name.toUpperCase(), value] : [name, value.toUpperCase()];
  },
  (random, fields, at) => {
    const [name = "", value = ""] = fields[at] ?? [];
    const cut = Math.floor(random() * (value.length + 1));
    const byte = String.fromCharCode(Math.floor(random() * 256));
    fields[at] = [name, value.slice(0, cut) + byte + value.slice(cut)];
  },
  (random, fields, at) => {
    const [name, value] = oneOf(random, extraFields);
    fields.splice(random() < 0.7 ? fields.length : at, 0, [name, value]);
  },
  (random, fields) => {
    for (let count = Math.floor(random() * 200); count > 0; count--) fields.push([`x${count}`, ""]);
  },
];

/** One to three things wrong with header fields. */
export function mutateHeaders(random: Random, fields: HeaderFields): HeaderFields {
  const copy = fields.map(([name, value]): [string, string] => [name, value]);
  for (let count = 1 + Math.floor(random() * 3); count > 0 && copy.length > 0; count--) {
    oneOf(random, headerMutations)(random, copy, Math.floor(random() * copy.length));
  }
  return copy;
}
