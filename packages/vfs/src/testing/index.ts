/** @phantom/vfs/testing: disks that lose their power or fail, and the conformance suite of every disk. */
export { type ConformanceDisk, type ConformanceSuite, vfsConformance } from './conformance.js';
export {
  type CountingInjector,
  type FaultKind,
  anyOf,
  counting,
  failAt,
  failFrom,
  onOperation,
  pathMatch,
} from './injectors.js';
export { FaultyVfs } from './faulty-vfs.js';
export { MemoryVfs, type MemoryVfsOptions } from './memory-vfs.js';
