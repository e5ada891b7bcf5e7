import {
  type FieldSchema,
  type MessageSchema,
  requestSchemas,
  type Signal,
  WireWriter,
} from "@inode-gateway/otlp";
import fc from "fast-check";

const MAX_DEPTH = 9;
const MAX_FIELDS_PER_MESSAGE = 5;
// Above it stand Resources, scopes and items, of which a request needs several to be interesting.
const ITEM_DEPTH = 3;

/** One field as it is written: enough to know what may stand beside it. */
interface WrittenField {
  /** Fields with the same one may not occur twice in a message; undefined for repeated ones. */
  readonly exclusive: string | undefined;
  readonly bytes: Uint8Array;
}

/**
 * Any request of one signal that is valid protobuf, as bytes.
 *
 * Fields come in any order and with any value; repeated numbers packed, unpacked and in several
 * pieces; tags and lengths sometimes longer than needed; `resource` sometimes twice; fields that
 * OTLP does not define on every level. Like every correct sender it sets only one member of a oneof.
 */
export function arbitraryRequest(signal: Signal): fc.Arbitrary<Uint8Array> {
  return arbitraryMessage(requestSchemas[signal], 0);
}

/** Any message of a schema, as bytes; in the manner of `arbitraryRequest`. */
export function arbitraryMessage(
  schema: MessageSchema,
  depth: number = 0,
): fc.Arbitrary<Uint8Array> {
  const cached = arbitraries[depth]?.get(schema);
  if (cached !== undefined) return cached;
  const fields = schema.fields
    .filter((field) => depth < MAX_DEPTH || field.message === undefined)
    .map((field) => ({ weight: weightOf(field, depth), arbitrary: arbitraryField(field, depth) }));
  const message: fc.Arbitrary<Uint8Array> = fc
    .array(fc.oneof(...fields, { weight: 1, arbitrary: unknownField(schema) }), {
      maxLength: MAX_FIELDS_PER_MESSAGE,
    })
    .map((written) => Buffer.concat(withoutConflicts(written)));
  arbitraries[depth]?.set(schema, message);
  return message;
}

// One for each schema and depth: messages contain each other, and each is made once.
const arbitraries: readonly Map<MessageSchema, fc.Arbitrary<Uint8Array>>[] = Array.from(
  { length: MAX_DEPTH + 1 },
  () => new Map(),
);

// Mostly what leads to items and attributes: the other fields are many and alike.
function weightOf(field: FieldSchema, depth: number): number {
  if (field.message === undefined) return depth < ITEM_DEPTH ? 1 : 2;
  return depth < ITEM_DEPTH && field.repeated ? 8 : 3;
}

function withoutConflicts(written: readonly WrittenField[]): Uint8Array[] {
  const seen = new Set<string>();
  return written
    .filter(({ exclusive }) => {
      if (exclusive === undefined) return true;
      if (seen.has(exclusive)) return false;
      seen.add(exclusive);
      return true;
    })
    .map(({ bytes }) => bytes);
}

function arbitraryField(field: FieldSchema, depth: number): fc.Arbitrary<WrittenField> {
  const exclusive = field.repeated || field.name === "resource" ? undefined : nameOf(field);
  return arbitraryContent(field, depth).map((bytes) => ({ exclusive, bytes }));
}

function nameOf(field: FieldSchema): string {
  return field.oneof === undefined ? `field ${field.number}` : `oneof ${field.oneof}`;
}

function arbitraryContent(field: FieldSchema, depth: number): fc.Arbitrary<Uint8Array> {
  if (field.message !== undefined) {
    const { message } = field;
    return fc
      .tuple(arbitraryMessage(message, depth + 1), padding)
      .map(([content, pad]) => lengthDelimited(field.number, content, pad));
  }
  if (field.kind === "string") {
    return fc
      .tuple(text, padding)
      .map(([value, pad]) => lengthDelimited(field.number, Buffer.from(value), pad));
  }
  if (field.kind === "bytes") {
    return arbitraryBytes(field).map((content) => lengthDelimited(field.number, content, 0));
  }
  const one = arbitraryNumber(field);
  if (!field.packed) return one.map((value) => written((writer) => value(writer, field.number)));
  return fc.tuple(fc.array(one, { maxLength: 4 }), fc.boolean()).map(([values, isPacked]) =>
    isPacked
      ? lengthDelimited(field.number, Buffer.concat(values.map(withoutTag)), 0)
      : written((writer) => {
          for (const value of values) value(writer, field.number);
        }),
  );
}

function arbitraryBytes(field: FieldSchema): fc.Arbitrary<Uint8Array> {
  if (field.hexIdBytes === undefined) return fc.uint8Array({ maxLength: 20 });
  const id = fc.uint8Array({ minLength: field.hexIdBytes, maxLength: field.hexIdBytes });
  return fc.oneof({ weight: 4, arbitrary: id }, fc.constant(new Uint8Array()));
}

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
);

type NumberWriter = (writer: WireWriter, fieldNumber: number) => void;

function arbitraryNumber(field: FieldSchema): fc.Arbitrary<NumberWriter> {
  switch (field.kind) {
    case "double":
      return fc.double().map((value) => (writer, number) => writer.doubleField(number, value));
    case "fixed64":
    case "sfixed64":
      return fc
        .bigInt({ min: 0n, max: 2n ** 64n - 1n })
        .map((value) => (writer, number) => writer.fixed64Field(number, value));
    case "fixed32":
    case "sfixed32":
    case "float":
      return fc.nat().map((value) => (writer, number) => writer.fixed32Field(number, value));
    case "sint32":
      return fc
        .integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
        .map((value) => (writer, number) => writer.zigzagField(number, value));
    case "sint64":
    case "int64":
    case "uint64":
      return fc
        .bigInt({ min: 0n, max: 2n ** 64n - 1n })
        .map((value) => (writer, number) => writer.varintField(number, value));
    case "uint32":
      return fc
        .nat({ max: 2 ** 32 - 1 })
        .map((value) => (writer, number) => writer.varintField(number, value));
    case "int32":
    case "enum":
      return fc
        .integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
        .map((value) => (writer, number) => writer.varintField(number, value));
    case "bool":
      return fc
        .boolean()
        .map((value) => (writer, number) => writer.varintField(number, value ? 1 : 0));
    case "string":
    case "bytes":
    case "message":
      throw new RangeError(`${field.name} is not a number`);
  }
}

// Numbers that no message of OTLP uses or reserves, near and far.
function unknownField(schema: MessageSchema): fc.Arbitrary<WrittenField> {
  const number = fc
    .constantFrom(13, 17, 31, 32, 1001, 536_870_911)
    .filter((candidate) => !schema.byNumber.has(candidate));
  const value: fc.Arbitrary<NumberWriter> = fc.oneof(
    fc.nat().map(
      (each): NumberWriter =>
        (writer, at) =>
          writer.varintField(at, each),
    ),
    fc.nat().map(
      (each): NumberWriter =>
        (writer, at) =>
          writer.fixed32Field(at, each),
    ),
    fc.double().map(
      (each): NumberWriter =>
        (writer, at) =>
          writer.doubleField(at, each),
    ),
    fc.uint8Array({ maxLength: 9 }).map(
      (each): NumberWriter =>
        (writer, at) =>
          writer.bytesField(at, each),
    ),
  );
  return fc.tuple(number, value).map(([at, write]) => ({
    exclusive: undefined,
    bytes: written((writer) => write(writer, at)),
  }));
}

/** How many bytes more than needed a length takes: legal, and written by some encoders. */
const padding: fc.Arbitrary<number> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2) },
);

function lengthDelimited(fieldNumber: number, content: Uint8Array, pad: number): Uint8Array {
  const field = written((writer) => writer.bytesField(fieldNumber, content));
  if (pad === 0) return field;
  const header = field.subarray(0, field.length - content.length);
  const more = Uint8Array.from({ length: pad }, (_, index) => (index === pad - 1 ? 0 : 0x80));
  const padded = Buffer.concat([header, more, content]);
  const lastOfLength = header.length - 1;
  padded[lastOfLength] = (padded[lastOfLength] ?? 0) | 0x80;
  return padded;
}

function written(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  write(writer);
  return writer.finish();
}

function withoutTag(write: NumberWriter): Uint8Array {
  // Field 1 has a tag of one byte.
  return written((writer) => write(writer, 1)).subarray(1);
}
