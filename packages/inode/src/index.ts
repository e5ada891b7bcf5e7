export { attributeNames } from "./attribute-names.js";
export {
  type CgroupPathMatch,
  type CgroupPathState,
  cgroupPathRoot,
  descend,
  maxCgroupPathLength,
  parseCgroupPath,
} from "./cgroup-path.js";
export {
  cgroup2SuperMagic,
  type InodeIdentity,
  type InodeIdentityPaths,
  readBootId,
  readInodeIdentity,
} from "./inode-identity.js";
