/** The content of one `${...}`: text and further references in order. */
export interface Reference {
  readonly segments: readonly Segment[];
}

/** A piece of a value: text as it is, or a reference. */
export type Segment = string | Reference;

interface Frame {
  readonly segments: Segment[];
  text: string;
}

/**
 * Takes a value apart into text and references, in one pass.
 *
 * `$$` is a dollar sign; the first `}` ends the innermost open `${`; a `${` that is never closed, and a
 * `$` before anything else, are text.
 */
export function parseReferences(value: string): Segment[] {
  const stack: Frame[] = [{ segments: [], text: "" }];
  for (let index = 0; index < value.length; index++) {
    const frame = top(stack);
    const pair = value.slice(index, index + 2);
    if (pair === "$$") {
      frame.text += "$";
      index++;
    } else if (pair === "${") {
      flush(frame);
      stack.push({ segments: [], text: "" });
      index++;
    } else if (value[index] === "}" && stack.length > 1) {
      flush(frame);
      stack.pop();
      top(stack).segments.push({ segments: frame.segments });
    } else {
      frame.text += value[index];
    }
  }
  while (stack.length > 1) closeAsText(stack);
  const [root] = stack;
  if (root === undefined) return [];
  flush(root);
  return root.segments;
}

function closeAsText(stack: Frame[]): void {
  const open = stack.pop();
  if (open === undefined) return;
  flush(open);
  const parent = top(stack);
  parent.text += "${";
  for (const segment of open.segments) {
    if (typeof segment === "string") {
      parent.text += segment;
    } else {
      flush(parent);
      parent.segments.push(segment);
    }
  }
}

function flush(frame: Frame): void {
  if (frame.text !== "") frame.segments.push(frame.text);
  frame.text = "";
}

function top(stack: readonly Frame[]): Frame {
  const frame = stack.at(-1);
  if (frame === undefined) throw new Error("the stack of open references is empty");
  return frame;
}
