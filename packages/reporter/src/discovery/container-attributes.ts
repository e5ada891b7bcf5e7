import type { CgroupPathState } from "@inode-gateway/inode";
import type { ContainerRecord } from "@inode-gateway/registry";

/** Length of a UUID; static pods have the hash of their configuration there, which is shorter. */
const podUidLength = 36;

/**
 * `container.runtime.name` by the grammar's runtime. Missing where the path does not tell: `cri` is
 * containerd or docker, `ecs` and `nomad` are schedulers, and `unknown` is just that.
 */
const runtimeNames: Readonly<Record<string, string>> = {
  docker: "docker",
  containerd: "containerd",
  nerdctl: "containerd",
  crio: "cri-o",
  podman: "podman",
  garden: "garden",
  lxc: "lxc",
  "libvirt-lxc": "libvirt-lxc",
  nspawn: "systemd-nspawn",
};

/** What the cgroup path alone tells of a container, read at the directory that names it. */
export function recordOf(containerId: string, state: CgroupPathState): ContainerRecord {
  const attributes: Record<string, string> = {};
  if (state.podUid?.length === podUidLength) attributes["k8s.pod.uid"] = state.podUid;
  const runtime = runtimeNames[state.runtime ?? "unknown"];
  if (runtime !== undefined) attributes["container.runtime.name"] = runtime;
  return { containerId, attributes };
}
