import type { NodeNames } from "./container-registry.js";

/** Which of a node's names is meant. */
export type NameKind = "node_name" | "host_id" | "host_name";

/** The names that are set, the one that decides first. */
export function namesThatAreSet(names: NodeNames): { kind: NameKind; name: string }[] {
  const given: [NameKind, string | undefined][] = [
    ["node_name", names.nodeName],
    ["host_id", names.hostId],
    ["host_name", names.hostName],
  ];
  return given.flatMap(([kind, name]) =>
    name === undefined || name === "" ? [] : [{ kind, name }],
  );
}
