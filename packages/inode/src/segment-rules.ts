/** What a segment of a cgroup path says about itself when it names a container. */
export interface SegmentName {
  readonly containerId: string;
  readonly runtime: string;
}

/** The surroundings of a segment, as far as the rules need them. */
export interface SegmentContext {
  /** Levels above the segment; 0 for the first one of a path. */
  readonly depth: number;
  /** First segment of the path; empty for the first one itself. */
  readonly firstSegment: string;
  /** Segment directly above; empty for the first one. */
  readonly parentSegment: string;
  readonly isBelowKubernetes: boolean;
  readonly isBelowGarden: boolean;
  readonly isBelowNomad: boolean;
}

/** Shortest segment with a hexadecimal ID. */
const hexIdLength = 64;

// Plain text comparisons stand before most of the expressions: a walk asks once per directory, and
// thousands of expressions that cannot match were half of its cost.
const conmon = /(?:^|-)conmon(?:-|$)/;
const lxcMonitor = /^lxc\.monitor(?:\.|$)/;
const hexId = /^(?:([a-z0-9][a-z0-9.-]*?)-)?([0-9a-f]{64})(?:\.scope)?$/;
const mismatchedDrivers = /^(.+\.slice):([a-z0-9-]+):([0-9a-f]{64})$/;
const fargate = /^[0-9a-f]{32}-[0-9]{1,20}$/;
const gardenHandle = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){4}$/;
const lxcPayload = /^lxc\.payload\.(.+)$/;
const machineScope = /^machine-(.+)\.scope$/;
const nomadScope = /^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\..+)\.scope$/;
const libvirtLxc = /^lxc-[0-9]+-(.+)$/;
const uidWithHyphens = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const uidWithUnderscores = "[0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12}";
const configurationHash = "[0-9a-f]{32}";
const pod = new RegExp(
  `^(?:.*-)?pod(${uidWithHyphens}|${uidWithUnderscores}|${configurationHash})(?:\\.slice)?$`,
);
const kubernetesParent = /^(?:.*-)?kubepods(?:-.*)?(?:\.slice)?$/;
// A container ID is printed, compared and sent on: nothing that a name on a node cannot mean.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const unprintable = /[\u0000-\u001f\u007f-\u009f\ufffd/]/;

const runtimeByPrefix: Readonly<Record<string, string>> = {
  docker: "docker",
  "cri-containerd": "containerd",
  crio: "crio",
  libpod: "podman",
  "libpod-payload": "podman",
  nerdctl: "nerdctl",
};

/** Namespaces of containerd, whose plain cgroup paths are `/<namespace>/<id>`. */
const containerdNamespaces = new Set(["default", "k8s.io", "moby"]);

/** Whether a segment is a mount unit or a monitor process, which often carry a container's ID. */
export function isMonitorOrMount(segment: string): boolean {
  if (segment.endsWith(".mount")) return true;
  if (segment.includes("conmon")) return conmon.test(segment);
  return segment.startsWith("lxc.") && lxcMonitor.test(segment);
}

/** Whether a segment is where Kubernetes keeps its pods, in the cgroupfs or the systemd form. */
export function isKubernetesParent(segment: string): boolean {
  return segment.includes("kubepods") && kubernetesParent.test(segment);
}

/**
 * The pod UID in a segment, with hyphens; undefined when it names no pod.
 *
 * A static pod has 32 hexadecimal characters there instead, the hash of its configuration.
 */
export function podUidOf(segment: string): string | undefined {
  if (!segment.includes("pod")) return undefined;
  const slice = mismatchedDrivers.exec(segment)?.[1] ?? segment;
  return pod.exec(slice)?.[1]?.replaceAll("_", "-");
}

/** The container a segment names in its surroundings; undefined when it names none. */
export function containerNamedBy(
  segment: string,
  context: SegmentContext,
): SegmentName | undefined {
  return (
    scopeOrFolderName(segment, context) ?? hexName(segment, context) ?? mismatchedName(segment)
  );
}

// The names of system containers come first: a hexadecimal one is their name all the same.
function scopeOrFolderName(segment: string, context: SegmentContext): SegmentName | undefined {
  if (context.firstSegment === "ecs" && fargate.test(segment)) {
    return { containerId: segment, runtime: "ecs" };
  }
  if (context.isBelowGarden && gardenHandle.test(segment)) {
    return { containerId: segment, runtime: "garden" };
  }
  if (context.isBelowNomad) {
    const name = nomadScope.exec(segment)?.[1];
    if (name !== undefined) return named(name, "nomad");
  }
  if (context.parentSegment === "machine.slice") {
    const name = machineScope.exec(segment)?.[1];
    if (name !== undefined) return machineName(name);
  }
  const payload = segment.startsWith("lxc.") ? lxcPayload.exec(segment)?.[1] : undefined;
  if (payload !== undefined) return named(payload, "lxc");
  const isOldLxc = context.parentSegment === "lxc" || context.parentSegment === "lxc.payload";
  return isOldLxc && context.depth === 1 ? named(segment, "lxc") : undefined;
}

function hexName(segment: string, context: SegmentContext): SegmentName | undefined {
  const match = segment.length < hexIdLength ? null : hexId.exec(segment);
  if (match === null) return undefined;
  const containerId = match[2] ?? "";
  const prefix = match[1];
  if (prefix !== undefined) return { containerId, runtime: runtimeOfPrefix(prefix) };
  return { containerId, runtime: runtimeOfSurroundings(context) };
}

function mismatchedName(segment: string): SegmentName | undefined {
  const match = segment.includes(":") ? mismatchedDrivers.exec(segment) : null;
  if (match === null) return undefined;
  return { containerId: match[3] ?? "", runtime: runtimeOfPrefix(match[2] ?? "") };
}

function machineName(escaped: string): SegmentName | undefined {
  const name = unescapeUnitName(escaped);
  if (name === undefined || name.startsWith("qemu-")) return undefined;
  const lxcName = libvirtLxc.exec(name)?.[1];
  return lxcName === undefined ? named(name, "nspawn") : named(lxcName, "libvirt-lxc");
}

function named(containerId: string, runtime: string): SegmentName | undefined {
  return unprintable.test(containerId) ? undefined : { containerId, runtime };
}

// systemd writes `\xNN` for a byte; as percent encoding the bytes are decoded and checked as UTF-8.
function unescapeUnitName(escaped: string): string | undefined {
  const percent = escaped.replaceAll("%", "%25").replaceAll(/\\x([0-9a-f]{2})/gi, "%$1");
  try {
    return decodeURIComponent(percent);
  } catch {
    return undefined;
  }
}

function runtimeOfPrefix(prefix: string): string {
  return Object.hasOwn(runtimeByPrefix, prefix)
    ? (runtimeByPrefix[prefix] ?? "unknown")
    : "unknown";
}

function runtimeOfSurroundings(context: SegmentContext): string {
  const { parentSegment, firstSegment, depth } = context;
  if (parentSegment === "docker" || parentSegment === "actions_job") return "docker";
  if (firstSegment === "ecs") return "ecs";
  // containerd or docker: the path does not tell which one the kubelet talks to.
  if (context.isBelowKubernetes) return "cri";
  return depth === 1 && containerdNamespaces.has(parentSegment) ? "containerd" : "unknown";
}
