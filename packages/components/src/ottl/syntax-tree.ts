import type { ComparisonOperator } from "./compare.js";
import type { Value } from "./value.js";

/** What stands in brackets behind a path or a function, such as `["http.method"]`. */
export interface Key {
  readonly value: string | number;
  readonly column: number;
}

/** One name of a path with its keys, such as `attributes["http.method"]`. */
export interface PathSegment {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly column: number;
}

/** What arithmetic and comparisons work on. */
export type ValueNode =
  | { readonly kind: "literal"; readonly value: Value; readonly column: number }
  | { readonly kind: "path"; readonly segments: readonly PathSegment[]; readonly column: number }
  | { readonly kind: "enum"; readonly name: string; readonly column: number }
  | CallNode
  | { readonly kind: "negation"; readonly operand: ValueNode; readonly column: number }
  | { readonly kind: "list"; readonly items: readonly ValueNode[]; readonly column: number }
  | {
      readonly kind: "arithmetic";
      readonly operator: "+" | "-" | "*" | "/";
      readonly left: ValueNode;
      readonly right: ValueNode;
      readonly column: number;
    };

/** A call of a function, such as `IsMatch(name, "^GET")`. */
export interface CallNode {
  readonly kind: "call";
  readonly name: string;
  readonly arguments: readonly ValueNode[];
  readonly keys: readonly Key[];
  readonly column: number;
}

/** What is true or false. */
export type ConditionNode =
  | {
      readonly kind: "and" | "or";
      readonly left: ConditionNode;
      readonly right: ConditionNode;
      readonly column: number;
    }
  | { readonly kind: "not"; readonly operand: ConditionNode; readonly column: number }
  | {
      readonly kind: "comparison";
      readonly operator: ComparisonOperator;
      readonly left: ValueNode;
      readonly right: ValueNode;
      readonly column: number;
    }
  | { readonly kind: "truth"; readonly value: ValueNode; readonly column: number };

/** Anything that may stand in parentheses. */
export type SyntaxNode = ValueNode | ConditionNode;

const conditionKinds: ReadonlySet<string> = new Set<ConditionNode["kind"]>([
  "and",
  "or",
  "not",
  "comparison",
  "truth",
]);

/** Whether a node is true or false rather than a value. */
export function isCondition(node: SyntaxNode): node is ConditionNode {
  return conditionKinds.has(node.kind);
}
