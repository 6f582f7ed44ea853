import { describe, expect, it } from 'vitest';
import {
  type MergeSituation,
  chooseAround,
  chooseMerge,
  runLookups,
  touchedPages,
  treeMergeCost,
} from '../src/merge-policy.js';

const MIB = 1 << 20;

function situation(sizes: readonly number[], touched: number, more: Partial<MergeSituation> = {}): MergeSituation {
  const runs = sizes.map((size) => ({ bytes: size * MIB }));
  return { runs, touchedPages: touched, pageBytes: 8192, runsMax: 8, lookups: 0, idle: false, ...more };
}

describe('the merge policy', () => {
  it('has nothing to do without runs, and waits while they are few', () => {
    expect(chooseMerge(situation([], 0))).toEqual({ kind: 'none' });
    expect(chooseMerge(situation([], 0, { idle: true }))).toEqual({ kind: 'none' });
    expect(chooseMerge(situation([16, 16, 16], 0))).toEqual({ kind: 'none' });
    expect(chooseMerge(situation([16, 16, 16, 16], 100_000))).toEqual({ kind: 'none' });
  });

  it('merges everything into the pages when nothing is written', () => {
    expect(chooseMerge(situation([16], 100_000, { idle: true }))).toEqual({ kind: 'tree' });
  });

  it('merges into the pages as soon as that pays', () => {
    // 64 MiB of entries against 8 MiB of pages.
    expect(chooseMerge(situation([16, 16, 16, 16], 1000))).toEqual({ kind: 'tree' });
    expect(treeMergeCost(situation([16, 16, 16, 16], 1000))).toBeLessThan(1);
  });

  it('merges the first run whose keys lie behind those of the pages, or are as good as one page', () => {
    expect(chooseMerge(situation([16], 33))).toEqual({ kind: 'tree' });
    expect(chooseMerge(situation([16], 2000))).toEqual({ kind: 'none' });
  });

  it('merges once lookups have paid for it, the later the more pages it touches', () => {
    // 16 MiB of entries are 2048 pages of their own.
    expect(chooseMerge(situation([16], 0, { lookups: 51_000 }))).toEqual({ kind: 'none' });
    expect(chooseMerge(situation([16], 0, { lookups: 52_000 }))).toEqual({ kind: 'tree' });
    expect(chooseMerge(situation([16], 10_000, { lookups: 300_000 }))).toEqual({ kind: 'none' });
    expect(chooseMerge(situation([16], 10_000, { lookups: 302_000 }))).toEqual({ kind: 'tree' });
    expect(runLookups({ filterMisses: 160, blockHits: 2, blocksRead: 3 })).toBe(15);
  });

  it('merges runs with each other where the pages would cost too much', () => {
    const runs = [16, 16, 16, 16, 16, 16, 16, 400];
    expect(chooseMerge(situation(runs, 1_000_000))).toEqual({ kind: 'runs', from: 0, to: 7 });
    expect(chooseMerge(situation([1, 40, 40, 40, 40, 40, 40, 40], 1_000_000))).toEqual({ kind: 'tree' });
  });

  it('bears a higher price once there are too many runs', () => {
    const runs = [16, 16, 16, 16, 16, 16, 16, 16];
    expect(chooseMerge(situation(runs, 100_000))).toEqual({ kind: 'tree' });
    expect(chooseMerge(situation(runs.slice(1), 100_000))).toEqual({ kind: 'none' });
  });

  it('knows that few entries touch a page each and many touch all', () => {
    expect(Math.round(touchedPages(1000, 10))).toBe(10);
    expect(Math.round(touchedPages(1000, 100_000))).toBe(1000);
    expect(touchedPages(0, 5)).toBe(0);
  });

  it('merges runs around those that are held, alike ones first, and the two that cost least where none are', () => {
    const around = (sizes: readonly number[], held: readonly number[], runsMax = 4): unknown =>
      chooseAround(
        sizes.map((bytes, i) => ({ bytes, isHeld: held.includes(i) })),
        runsMax,
      );
    expect(around([1, 1, 1], [])).toEqual({ kind: 'none' });
    expect(around([1, 1, 1, 1], [])).toEqual({ kind: 'runs', from: 0, to: 4 });
    expect(around([1, 1, 1, 1], [3])).toEqual({ kind: 'runs', from: 0, to: 3 });
    expect(around([1, 1, 1, 1], [0, 3])).toEqual({ kind: 'runs', from: 1, to: 3 });
    expect(around([1, 4, 4, 4], [])).toEqual({ kind: 'runs', from: 1, to: 4 });
    expect(around([9, 1, 3, 9, 30], [0])).toEqual({ kind: 'runs', from: 1, to: 3 });
    expect(around([1, 3, 9, 30], [])).toEqual({ kind: 'runs', from: 0, to: 2 });
    expect(around([5, 12, 1, 3], [])).toEqual({ kind: 'runs', from: 1, to: 4 });
    expect(around([1, 1, 1, 1], [1, 3])).toEqual({ kind: 'none' });
    expect(around([1, 1, 1, 1], [0, 1, 2, 3])).toEqual({ kind: 'none' });
  });
});
