import {
  containerNamedBy,
  isKubernetesParent,
  isMonitorOrMount,
  podUidOf,
  type SegmentContext,
} from "./segment-rules.js";

/** What the segment grammar reads from a cgroup path. */
export interface CgroupPathMatch {
  /** Undefined when the directory belongs to no container. */
  readonly containerId: string | undefined;
  /**
   * `docker`, `containerd`, `cri` (one of the two), `crio`, `podman`, `nerdctl`, `ecs`, `garden`,
   * `nomad`, `lxc`, `libvirt-lxc`, `nspawn` or `unknown`; undefined without an ID, except `kata`
   * for the sandbox of a virtual machine.
   */
  readonly runtime: string | undefined;
  /**
   * UID of the nearest pod on the way, with hyphens. Static pods have 32 hexadecimal characters
   * here, a hash of their configuration, which is not the UID that the Kubernetes API shows.
   */
  readonly podUid: string | undefined;
}

/**
 * What is known at one directory of a walk; `descend` makes the next one from it.
 *
 * Immutable, so that a directory's children can all start from the same one.
 */
export interface CgroupPathState extends CgroupPathMatch {
  /** Whether the last segment itself names the container; false for everything below it. */
  readonly definesContainer: boolean;
  /** Surroundings of the next segment. */
  readonly context: SegmentContext;
  /** The next segment belongs to a virtual machine's overhead and names nothing. */
  readonly skipsNextSegment: boolean;
}

/** Characters of a path that are read: PATH_MAX of Linux; a longer one gives no match. */
export const maxCgroupPathLength = 4096;

/** The root of a hierarchy, where every walk begins. */
export const cgroupPathRoot: CgroupPathState = {
  containerId: undefined,
  runtime: undefined,
  podUid: undefined,
  definesContainer: false,
  skipsNextSegment: false,
  context: {
    depth: 0,
    firstSegment: "",
    parentSegment: "",
    isBelowKubernetes: false,
    isBelowGarden: false,
    isBelowNomad: false,
  },
};

const noMatch: CgroupPathMatch = {
  containerId: undefined,
  runtime: undefined,
  podUid: undefined,
};

/**
 * Reads the container, its runtime and its pod from a cgroup path; never throws.
 *
 * `path` is seen from the root of a hierarchy, as in `/docker/<64 hexadecimal characters>`. The
 * innermost container wins, and everything below a container's directory belongs to it. Empty
 * segments are passed over; `..`, which only appears when a path is read across cgroup namespaces,
 * gives no match, and neither does a path above {@link maxCgroupPathLength}.
 */
export function parseCgroupPath(path: string): CgroupPathMatch {
  if (path.length > maxCgroupPathLength) return noMatch;
  let state = cgroupPathRoot;
  for (const segment of path.split("/")) {
    if (segment === "") continue;
    if (segment === ".." || segment === ".") return noMatch;
    state = descend(state, segment);
  }
  return { containerId: state.containerId, runtime: state.runtime, podUid: state.podUid };
}

/**
 * One step of the grammar, from a directory to its child named `segment`.
 *
 * A walk pays for one segment per directory instead of a whole path. `segment` is data from
 * anybody who may make a cgroup: any text without a slash.
 */
export function descend(parent: CgroupPathState, segment: string): CgroupPathState {
  const { containerId, runtime, podUid } = parent;
  const isOverhead = segment === "kata_overhead";
  if (parent.skipsNextSegment || isOverhead || isMonitorOrMount(segment)) {
    const isMarked = isOverhead && containerId === undefined;
    return {
      containerId,
      runtime: isMarked ? "kata" : runtime,
      podUid,
      definesContainer: false,
      skipsNextSegment: isOverhead,
      context: contextBelow(parent.context, segment, false),
    };
  }
  const ownPodUid = podUidOf(segment);
  const name = nameOf(segment, parent.context);
  return {
    containerId: name === undefined ? containerId : name.containerId,
    runtime: name === undefined ? runtime : name.runtime,
    podUid: ownPodUid ?? podUid,
    definesContainer: name?.containerId !== undefined,
    skipsNextSegment: false,
    context: contextBelow(parent.context, segment, ownPodUid !== undefined),
  };
}

// Inside a virtual machine another kernel numbers the inodes: nothing of it is known here.
const insideVirtualMachine = { containerId: undefined, runtime: "kata" } as const;

function nameOf(segment: string, context: SegmentContext) {
  const isSandbox = segment.startsWith("kata_") && segment.length > "kata_".length;
  return isSandbox ? insideVirtualMachine : containerNamedBy(segment, context);
}

function contextBelow(context: SegmentContext, segment: string, isPod: boolean): SegmentContext {
  return {
    depth: context.depth + 1,
    firstSegment: context.depth === 0 ? segment : context.firstSegment,
    parentSegment: segment,
    isBelowKubernetes: context.isBelowKubernetes || isPod || isKubernetesParent(segment),
    isBelowGarden: context.isBelowGarden || segment === "garden",
    isBelowNomad: context.isBelowNomad || segment === "nomad.slice",
  };
}
