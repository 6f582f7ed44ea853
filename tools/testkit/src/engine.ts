/** @phantom/testkit/engine: what tests of the two engines share. */
export { compareState } from './engine/compare-state.js';
export { type ContextOptions, TEST_IDENTITY, type TestContext, testContext } from './engine/engine-context.js';
export { killSweep } from './engine/kill-sweep.js';
export { type OffloadingEngine, offloadSuite } from './engine/offload-suite.js';
