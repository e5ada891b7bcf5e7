import { contextNamed, visibleContexts } from "./compile-path.js";
import { ConditionSyntaxError } from "./condition-error.js";
import { parseCondition } from "./parse-condition.js";
import type { ContextName } from "./path-fields.js";
import type { ConditionNode, PathSegment, ValueNode } from "./syntax-tree.js";
import { telemetryFunctions } from "./telemetry-functions.js";

/**
 * The context that a condition is to be evaluated in: the one from which everything can be seen that
 * its paths are prefixed with.
 *
 * @param candidates contexts to choose from, the widest (`resource`) first
 * @throws ConditionSyntaxError when a path has no prefix or none of the candidates fits
 */
export function inferContext(text: string, candidates: readonly ContextName[]): ContextName {
  const needed = new Set<ContextName>();
  visitCondition(parseCondition(text), {
    path: ([first, ...rest], column) => {
      const context = rest.length === 0 ? undefined : contextNamed(first?.name ?? "");
      if (context === undefined) {
        throw new ConditionSyntaxError(
          column,
          `\`${first?.name}\` has no context in front, such as \`${candidates.at(-1)}.\``,
        );
      }
      needed.add(context);
    },
    call: (name) => {
      for (const context of telemetryFunctions.get(name)?.contexts ?? []) needed.add(context);
    },
  });
  const found = candidates.find((candidate) =>
    [...needed].every((context) => visibleContexts[candidate].includes(context)),
  );
  if (found !== undefined) return found;
  throw new ConditionSyntaxError(
    1,
    `no context shows \`${[...needed].join("`, `")}\` together; there are ` +
      `\`${candidates.join("`, `")}\``,
  );
}

interface Visitor {
  readonly path: (segments: readonly PathSegment[], column: number) => void;
  readonly call: (name: string) => void;
}

function visitCondition(node: ConditionNode, visitor: Visitor): void {
  switch (node.kind) {
    case "and":
    case "or":
      visitCondition(node.left, visitor);
      visitCondition(node.right, visitor);
      break;
    case "not":
      visitCondition(node.operand, visitor);
      break;
    case "comparison":
      visitValue(node.left, visitor);
      visitValue(node.right, visitor);
      break;
    case "truth":
      visitValue(node.value, visitor);
      break;
  }
}

function visitValue(node: ValueNode, visitor: Visitor): void {
  switch (node.kind) {
    case "path":
      visitor.path(node.segments, node.column);
      break;
    case "call":
      visitor.call(node.name);
      for (const argument of node.arguments) visitValue(argument, visitor);
      break;
    case "list":
      for (const item of node.items) visitValue(item, visitor);
      break;
    case "negation":
      visitValue(node.operand, visitor);
      break;
    case "arithmetic":
      visitValue(node.left, visitor);
      visitValue(node.right, visitor);
      break;
    case "enum":
    case "literal":
      break;
  }
}
