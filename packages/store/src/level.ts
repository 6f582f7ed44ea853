/** @phantom/store/level: a single space behind the interface of Level. */
export { SpaceLevel, type SpaceLevelOptions } from './level/space-level.js';
