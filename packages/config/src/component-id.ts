/** As in the Collector's `component` package: 1 to 63 characters. */
const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/;

/** No separators, control or format characters, or symbols: as in the Collector. */
const NAME = /^[^\p{Z}\p{C}\p{S}]+$/u;

const NAME_LENGTH_MAX = 1024;

/** The two parts of a component's or pipeline's ID. */
export interface ComponentIdParts {
  readonly type: string;
  /** What follows the slash; empty without one. */
  readonly name: string;
}

/** `otlp/2` to type and name; problems as text. */
export function parseComponentId(id: string): ComponentIdParts | { readonly problem: string } {
  if (id === "") return { problem: "id must not be empty" };
  const slash = id.indexOf("/");
  const type = slash < 0 ? id : id.slice(0, slash);
  const name = slash < 0 ? "" : id.slice(slash + 1);
  const quoted = JSON.stringify(id.slice(0, 128));
  if (type === "") return { problem: `in ${quoted} id: the part before / must not be empty` };
  if (!TYPE.test(type)) {
    return { problem: `in ${quoted} id: the type must match ${TYPE.source}` };
  }
  if (slash >= 0 && name === "") {
    return { problem: `in ${quoted} id: the part after / must not be empty` };
  }
  // Counted in characters, not in UTF-16 units.
  const length = name.length > NAME_LENGTH_MAX ? [...name].length : name.length;
  if (length > NAME_LENGTH_MAX) {
    return {
      problem: `in ${quoted} id: the name has ${length} characters, at most ${NAME_LENGTH_MAX} are allowed`,
    };
  }
  if (name !== "" && !NAME.test(name)) {
    return {
      problem: `in ${quoted} id: the name must not contain white space, control characters or symbols`,
    };
  }
  return { type, name };
}
