import protobuf from "protobufjs";
import type {
  IDescriptorProto,
  IEnumDescriptorProto,
  IFieldDescriptorProto,
  IFileDescriptorProto,
} from "protobufjs/ext/descriptor.js";

/** What two definitions of one message, enum or service are compared by. */
export type Shape = Readonly<Record<string, string>>;

/** Shapes by full name, such as `opentelemetry.proto.trace.v1.Span`. */
export type Definitions = ReadonlyMap<string, Shape>;

/** Shapes of everything below a protobufjs root. */
export function fromReflection(root: protobuf.Root): Definitions {
  root.resolveAll();
  const shapes = new Map<string, Shape>();
  const visit = (parent: protobuf.NamespaceBase): void => {
    for (const child of parent.nestedArray) {
      const name = child.fullName.slice(1);
      if (child instanceof protobuf.Type) shapes.set(name, shapeOfType(child));
      else if (child instanceof protobuf.Enum) shapes.set(name, sortedEntries(child.values));
      else if (child instanceof protobuf.Service) shapes.set(name, shapeOfService(child));
      if (child instanceof protobuf.Namespace) visit(child);
    }
  };
  visit(root);
  return shapes;
}

/** Shapes of everything in serialized definition files. */
export function fromDescriptors(files: readonly IFileDescriptorProto[]): Definitions {
  const shapes = new Map<string, Shape>();
  const visit = (message: IDescriptorProto, prefix: string): void => {
    const name = `${prefix}.${message.name}`;
    shapes.set(name, shapeOfDescriptor(message));
    for (const child of message.nestedType ?? []) visit(child, name);
    for (const child of message.enumType ?? []) shapes.set(`${name}.${child.name}`, ofEnum(child));
  };
  for (const file of files) {
    const prefix = file.package ?? "";
    for (const message of file.messageType ?? []) visit(message, prefix);
    for (const each of file.enumType ?? []) shapes.set(`${prefix}.${each.name}`, ofEnum(each));
    for (const service of file.service ?? []) {
      const methods = (service.method ?? []).map((method): [string, string] => [
        method.name ?? "",
        `${method.inputType} to ${method.outputType}`,
      ]);
      shapes.set(`${prefix}.${service.name}`, sortedEntries(Object.fromEntries(methods)));
    }
  }
  return shapes;
}

function shapeOfType(type: protobuf.Type): Shape {
  const fields = type.fieldsArray.map((field): [string, string] => {
    const isOptional = field.options?.["proto3_optional"] === true;
    const label = isOptional ? "optional" : field.repeated ? "repeated" : "singular";
    const oneof = field.partOf !== null && !isOptional ? ` in ${field.partOf.name}` : "";
    const typeName = field.resolvedType?.fullName ?? field.type;
    const jsonName = field.options?.["json_name"] ?? camelCase(field.name);
    return [String(field.id), `${label} ${typeName} ${field.name} (${jsonName})${oneof}`];
  });
  const reserved = (type.reserved ?? []).flatMap((range) =>
    typeof range === "string" ? [] : range,
  );
  return sortedEntries({ ...Object.fromEntries(fields), reserved: reserved.join(" ") });
}

function shapeOfService(service: protobuf.Service): Shape {
  const methods = service.methodsArray.map((method): [string, string] => [
    method.name,
    `${method.resolvedRequestType?.fullName} to ${method.resolvedResponseType?.fullName}`,
  ]);
  return sortedEntries(Object.fromEntries(methods));
}

function shapeOfDescriptor(message: IDescriptorProto): Shape {
  const fields = (message.field ?? []).map((field): [string, string] => {
    const label = field.proto3Optional ? "optional" : field.label === 3 ? "repeated" : "singular";
    const isInOneof = Object.hasOwn(field, "oneofIndex") && !field.proto3Optional;
    const oneof = isInOneof ? ` in ${message.oneofDecl?.[field.oneofIndex ?? -1]?.name}` : "";
    const jsonName = field.jsonName || camelCase(field.name ?? "");
    const type = typeOf(field);
    return [String(field.number), `${label} ${type} ${field.name} (${jsonName})${oneof}`];
  });
  // The end of a range is exclusive in a descriptor, inclusive in a definition file.
  const reserved = (message.reservedRange ?? []).flatMap((range) => [
    range.start ?? 0,
    (range.end ?? 0) - 1,
  ]);
  return sortedEntries({ ...Object.fromEntries(fields), reserved: reserved.join(" ") });
}

function ofEnum(descriptor: IEnumDescriptorProto): Shape {
  const values = (descriptor.value ?? []).map((each) => [each.name, each.number]);
  return sortedEntries(Object.fromEntries(values));
}

// Numbers of FieldDescriptorProto.Type.
const scalarTypes: Readonly<Record<number, string>> = {
  1: "double",
  2: "float",
  3: "int64",
  4: "uint64",
  5: "int32",
  6: "fixed64",
  7: "fixed32",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
  15: "sfixed32",
  16: "sfixed64",
  17: "sint32",
  18: "sint64",
};

function typeOf(field: IFieldDescriptorProto): string {
  return field.typeName || (scalarTypes[field.type ?? 0] ?? `type ${field.type}`);
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function sortedEntries(record: Readonly<Record<string, unknown>>): Shape {
  return Object.fromEntries(
    Object.entries(record)
      .map(([key, value]): [string, string] => [key, String(value)])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
