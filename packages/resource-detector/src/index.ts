export { createInodeDetector, inodeDetector } from "./inode-detector.js";
