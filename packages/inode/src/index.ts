/** What the segment grammar reads from a cgroup path. */
export interface CgroupPathMatch {
  /** undefined: the directory belongs to no container. */
  readonly containerId: string | undefined;
  /** `docker`, `containerd`, `cri`, `crio`, `podman`, `ecs`, `kata` …, `unknown`; undefined without an ID unless a VM sandbox was recognised. */
  readonly runtime: string | undefined;
  readonly podUid: string | undefined;
}
export declare function parseCgroupPath(path: string): CgroupPathMatch;
/** What an application sends of its own cgroup. */
export interface InodeIdentity {
  readonly inode: bigint;
  readonly bootId: string | undefined;
}
export interface InodeIdentityPaths {
  readonly cgroupRoot?: string;
  readonly bootIdPath?: string;
}
/** undefined when the process is not in a private cgroup namespace on cgroup v2; never throws. */
export declare function readInodeIdentity(paths?: InodeIdentityPaths): InodeIdentity | undefined;
/** Resource attribute names on the wire. */
export declare const attributeNames: {
  readonly inode: "container.cgroup.inode";
  readonly device: "container.cgroup.device";
  readonly bootId: "host.boot.id";
};
