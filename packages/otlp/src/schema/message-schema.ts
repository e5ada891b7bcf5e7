/** The scalar types of protobuf, by the names the language gives them. */
export type ScalarKind =
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "sint32"
  | "sint64"
  | "bool"
  | "enum"
  | "fixed32"
  | "fixed64"
  | "sfixed32"
  | "sfixed64"
  | "float"
  | "double"
  | "string"
  | "bytes";

/** What one field holds: a scalar, or another message. */
export type FieldKind = ScalarKind | "message";

/** The names and numbers of one protobuf enum. */
export interface EnumSchema {
  /** Full name without a leading dot, such as `opentelemetry.proto.trace.v1.Span.SpanKind`. */
  readonly name: string;
  /** Number by name, such as `SPAN_KIND_SERVER` to 2. Every OTLP enum is open: others may arrive. */
  readonly values: ReadonlyMap<string, number>;
}

/** One field of a message, as the specification numbers and names it. */
export interface FieldSchema {
  /** Field number, 1 to 536,870,911. */
  readonly number: number;
  /** Name in the .proto file, snake_case; also what paths in framing errors are made of. */
  readonly name: string;
  /** Key in OTLP/JSON: `name` in lowerCamelCase. */
  readonly jsonName: string;
  readonly kind: FieldKind;
  readonly repeated: boolean;
  /**
   * Whether a conforming writer packs the elements into one length-delimited field.
   *
   * True for every repeated scalar except strings and bytes (the proto3 default; OTLP turns it off
   * nowhere). Readers accept both forms.
   */
  readonly packed: boolean;
  /** Name of the oneof that the field belongs to: of all fields with that name one may be set. */
  readonly oneof: string | undefined;
  /**
   * Whether presence is tracked, so that a zero is written and means something else than absence.
   *
   * True for messages, members of a oneof and fields marked `optional`; false for repeated fields.
   */
  readonly hasPresence: boolean;
  /** The type of the message; set exactly when `kind` is `message`. */
  readonly message: MessageSchema | undefined;
  /** The type of the enum; set exactly when `kind` is `enum`. */
  readonly enumType: EnumSchema | undefined;
  /**
   * Length in bytes of an identifier that OTLP/JSON writes as hexadecimal instead of base64.
   *
   * 16 for trace and profile IDs, 8 for span IDs, undefined for every other field. An empty value
   * means that the identifier is absent.
   */
  readonly hexIdBytes: 8 | 16 | undefined;
}

/** One OTLP message: its name and its fields, in the order of the .proto file. */
export class MessageSchema {
  /** Full name without a leading dot, such as `opentelemetry.proto.trace.v1.Span`. */
  readonly name: string;
  readonly #defineFields: () => readonly FieldSchema[];
  #fields: readonly FieldSchema[] | undefined;
  #byNumber: ReadonlyMap<number, FieldSchema> | undefined;
  #byName: ReadonlyMap<string, FieldSchema> | undefined;
  #byJsonName: ReadonlyMap<string, FieldSchema> | undefined;

  /** @param defineFields called on first use, so that messages may contain each other */
  constructor(name: string, defineFields: () => readonly FieldSchema[]) {
    this.name = name;
    this.#defineFields = defineFields;
  }

  /** All fields, in the order of the .proto file. */
  get fields(): readonly FieldSchema[] {
    this.#fields ??= this.#defineFields();
    return this.#fields;
  }

  /** Fields by number. */
  get byNumber(): ReadonlyMap<number, FieldSchema> {
    this.#byNumber ??= new Map(this.fields.map((field) => [field.number, field]));
    return this.#byNumber;
  }

  /** Fields by their name in the .proto file (snake_case). */
  get byName(): ReadonlyMap<string, FieldSchema> {
    this.#byName ??= new Map(this.fields.map((field) => [field.name, field]));
    return this.#byName;
  }

  /** Fields by their key in OTLP/JSON (lowerCamelCase). */
  get byJsonName(): ReadonlyMap<string, FieldSchema> {
    this.#byJsonName ??= new Map(this.fields.map((field) => [field.jsonName, field]));
    return this.#byJsonName;
  }
}
