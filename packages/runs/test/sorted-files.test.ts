/** Files of a bulk load: where they are cut, what is handed over with them, and what is left when the load is given up. */
import { type Checksums, type Logger, loadChecksums, silentLogger } from '@phantom/base';
import type { ReadyRun, SortedRunRef } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCache, Run, SortedFiles, VersionKind, isLoadFile } from '../src/index.js';

const DIRECTORY = '/engine';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

function begin(runBytesMax: number, logger: Logger = silentLogger): { vfs: MemoryVfs; files: SortedFiles } {
  const vfs = new MemoryVfs();
  vfs.makeDir(DIRECTORY);
  vfs.syncDir('/');
  const style = { blockBytes: 256 };
  const files = new SortedFiles({ vfs, checksums, logger, directory: DIRECTORY, name: 'x', runBytesMax, style });
  return { vfs, files };
}

const keyOf = (i: number): Uint8Array => Uint8Array.of(0, 0, 0, 1, i >> 8, i & 255);

/** Puts the keys of [from, to), every third as a removal. */
function fill(files: SortedFiles, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const key = keyOf(i);
    if (i % 3 === 0) files.remove(key, 0, key.length);
    else files.put(key, 0, key.length, key, 4, 6);
  }
}

/** Keys that the files hold after a power cut, with what they are. */
function read(vfs: MemoryVfs, refs: readonly SortedRunRef[]): (readonly [number, VersionKind])[] {
  const disk = vfs.crashClone(1);
  const cache = new BlockCache(1 << 20);
  return refs.flatMap(({ path, bytes, entries }) => {
    const run = new Run({ vfs: disk, path, checksums, cache, bytes });
    const found: [number, VersionKind][] = [];
    const cursor = run.versions(true);
    while (cursor.next()) {
      const [, , , , high = 0, low = 0] = cursor.key.copy();
      found.push([high * 256 + low, cursor.kind]);
    }
    expect(found.length).toBe(entries);
    run.release();
    return found;
  });
}

const expected = (from: number, to: number): (readonly [number, VersionKind])[] =>
  Array.from({ length: to - from }, (_, i) => [from + i, (from + i) % 3 === 0 ? VersionKind.Remove : VersionKind.Put]);

describe('sorted files of a load', () => {
  it('hold all entries in order, cut at their size, and outlive a power cut once they are finished', async () => {
    for (const finish of [(files: SortedFiles) => files.finish(), (files: SortedFiles) => files.finishNow()]) {
      const { vfs, files } = begin(2000);
      expect(files.bytes).toBe(0);
      fill(files, 0, 600);
      const before = files.bytes;
      const refs = await finish(files);
      expect(refs.length).toBeGreaterThan(2);
      expect(refs.every(({ path }, i) => path === `${DIRECTORY}/load-x-${i}` && isLoadFile(`load-x-${i}`))).toBe(true);
      expect(files.bytes).toBeGreaterThanOrEqual(before);
      expect(files.bytes).toBe(refs.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(read(vfs, refs)).toEqual(expected(0, 600));
    }
  });

  it('are one file without a bound, and none without an entry', async () => {
    const { vfs, files } = begin(Number.POSITIVE_INFINITY);
    fill(files, 0, 600);
    const refs = files.finishNow();
    expect(refs).toHaveLength(1);
    expect(read(vfs, refs)).toEqual(expected(0, 600));
    const empty = begin(2000);
    expect([await empty.files.finish(), empty.files.finishNow(), empty.vfs.list(DIRECTORY)]).toEqual([[], [], []]);
  });

  it('take ranges to remove before the first key only', () => {
    const { files } = begin(2000);
    files.removeRange(keyOf(0), keyOf(9));
    files.removeRange(keyOf(9), keyOf(12));
    fill(files, 20, 21);
    expect(() => files.removeRange(keyOf(30), keyOf(40))).toThrow('ranges come before the first key');
    const [ref] = files.finishNow();
    expect(ref?.entries).toBe(1);
  });

  it('are handed over behind the files of others, which are synced with them', async () => {
    const calls: string[] = [];
    const other = (path: string): ReadyRun => ({
      ref: { path, entries: 1, bytes: 70 },
      firstKey: keyOf(0),
      lastKey: keyOf(0),
      sync: async () => void calls.push(`sync ${path}`),
      syncNow: () => void calls.push(`syncNow ${path}`),
      keep: () => void calls.push('keep'),
    });
    const awaited = begin(2000);
    awaited.files.add(other('a'));
    expect(awaited.files.bytes).toBe(70);
    fill(awaited.files, 1, 3);
    expect((await awaited.files.finish()).map(({ path }) => path)).toEqual(['a', `${DIRECTORY}/load-x-0`]);
    const atOnce = begin(2000);
    atOnce.files.add(other('b'));
    expect(atOnce.files.finishNow().map(({ path }) => path)).toEqual(['b']);
    expect(calls).toEqual(['sync a', 'syncNow b']);
  });

  it('are gone when the load is given up, and nothing fails when they cannot be removed', () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const { vfs, files } = begin(2000, logger);
    fill(files, 0, 600);
    expect(vfs.list(DIRECTORY).length).toBeGreaterThan(2);
    files.discard();
    files.discard();
    expect(vfs.list(DIRECTORY)).toEqual([]);
    const stuck = begin(2000, logger);
    fill(stuck.files, 0, 600);
    stuck.vfs.remove = () => {
      throw new Error('busy');
    };
    expect(warnings).toEqual([]);
    stuck.files.discard();
    expect(warnings).toEqual(['files of a bulk load that was given up could not be removed']);
  });
});
