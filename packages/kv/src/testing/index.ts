/** @phantom/kv/testing: what every engine must pass. */
export { type ConformanceOptions, engineConformance } from './conformance.js';
export { EngineDriver, type OpenView, encode } from './driver.js';
export { type MirrorOptions, mirrorRun } from './mirror.js';
export { Model, type ModelEntry, type ModelOperation } from './model.js';
