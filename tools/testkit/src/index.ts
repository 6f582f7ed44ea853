/** @phantom/testkit: what tests of several packages share. */
export { levelSuite } from './level-suite.js';
