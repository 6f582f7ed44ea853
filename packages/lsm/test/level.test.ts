/** The suite that abstract-level publishes for its implementations, whole, on this tree. */
import { levelSuite } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LsmLevel } from '../src/level.js';

describe("abstract-level's own suite", () => {
  let places = 0;
  levelSuite(
    it,
    (options) =>
      new LsmLevel(`/data/${places++}`, {
        vfs: new MemoryVfs(),
        segmentBytes: 16_384,
        deltaBytesMax: 400_000,
        cacheBytes: 100_000,
        ...options,
      }),
  );
});

describe('LsmLevel', () => {
  it('refuses settings that cannot be', () => {
    expect(() => new LsmLevel('/data/alone', { sliceMs: -1 })).toThrow(expect.objectContaining({ code: '22023' }));
  });
});
