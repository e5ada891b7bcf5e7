/** Names of the Resource attributes that carry an inode identity. */
export const attributeNames = {
  /** Inode of the sender's own cgroup directory: int, or decimal text. */
  inode: "container.cgroup.inode",
  /** st_dev of that directory; sent on cgroup v1 and hybrid nodes only. */
  device: "container.cgroup.device",
  /** Boot ID of the sender's kernel: UUID text. */
  bootId: "host.boot.id",
} as const;
