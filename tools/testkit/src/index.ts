/** @phantom/testkit: what tests of several packages share. */
export { filesBelow } from './files-below.js';
export { loadSuite } from './load-suite.js';
export { type LoadableTree, type OpenTree, cutLoads, failLoads } from './load-sweep.js';
export { levelSuite } from './level-suite.js';
export { rottenSuite } from './rotten-suite.js';
export { salvageSuite } from './salvage-suite.js';
export { MemorySpan, MemoryTracer } from './memory-tracer.js';
export { scrubSuite } from './scrub-suite.js';
export { pointsOfEachKind } from './sweep-points.js';
