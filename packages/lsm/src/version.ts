/**
 * A version: which runs there are, level by level, at one moment. It never changes; a flush or a compaction makes the next
 * one. A view holds the version of its moment, and a version holds its runs, so what a view shows is never taken away.
 *
 *   level 0    run  run  run  run      as they were flushed, newest first; their keys overlap
 *   level 1    (empty until the tree is large)
 *    ...
 *   level 5    |   run   |   run   |   run  |      disjoint and in order, range tombstones included:
 *   level 6    | run | run | run | run | run |     at most one run of a level speaks of a key
 *
 * Every write in a higher level (a smaller number) is younger than every write to the same key in a lower one.
 */
import { assert, compareBytes, compareKeys } from '@phantom/base';
import type { ByteSlot, KeyRange, Seq } from '@phantom/kv';
import { type KeyHash, KeyIndex, Lookup } from '@phantom/runs';
import { LEVELS } from './format.js';
import type { RunFile } from './run-file.js';

/** One level of a version, shared by all versions between two changes of it. */
export class Level {
  readonly number: number;
  /** Level 0: newest first. Other levels: in the order of their keys. */
  readonly files: readonly RunFile[];
  readonly bytes: number;
  readonly entries: number;
  readonly hasTombstones: boolean;
  /** The lower ends of the runs, in all levels but 0. */
  private readonly lowers: KeyIndex;

  constructor(number: number, files: readonly RunFile[]) {
    this.number = number;
    this.files = files;
    let bytes = 0;
    let entries = 0;
    let hasTombstones = false;
    for (const file of files) {
      bytes += file.bytes;
      entries += file.entries;
      if (file.tombstones.length > 0) hasTombstones = true;
    }
    this.bytes = bytes;
    this.entries = entries;
    this.hasTombstones = hasTombstones;
    this.lowers = indexOf(number === 0 ? [] : files);
  }

  /** The run that speaks of a key, if any does; not for level 0. Its index, -1 when all begin behind the key. */
  find(key: Uint8Array, start: number, end: number): number {
    return this.lowers.lastAtMost(key, start, end);
  }

  /** The runs that reach into a range are [from, to); not for level 0. */
  firstIn(range: KeyRange): number {
    const { lower } = range;
    const at = this.find(lower, 0, lower.length);
    if (at < 0) return 0;
    return compareKeys((this.files[at] as RunFile).upper, lower) > 0 ? at : at + 1;
  }

  /** See firstIn. */
  endIn(range: KeyRange): number {
    const { upper } = range;
    if (upper === undefined) return this.files.length;
    const at = this.find(upper, 0, upper.length);
    return at >= 0 && compareKeys((this.files[at] as RunFile).lower, upper) === 0 ? at : at + 1;
  }

  /** Throws unless the runs are in order and disjoint; not for level 0. */
  assertOrder(): void {
    for (let i = 1; i < this.files.length; i++) {
      const before = this.files[i - 1] as RunFile;
      assert(compareKeys(before.upper, (this.files[i] as RunFile).lower) <= 0, 'the runs of a level are disjoint');
    }
  }
}

/** What the next version has and this one has not. */
export interface VersionChange {
  readonly removed: readonly RunFile[];
  /** Each says its level and, for level 0, its age. */
  readonly added: readonly RunFile[];
}

export class Version {
  readonly levels: readonly Level[];
  /** Of the levels below 0 those that hold anything, from the newest to the oldest. */
  private readonly lower: readonly Level[];
  private readonly overlapping: readonly RunFile[];
  private references = 1;

  /** Retains every run. The caller holds the first reference. */
  constructor(levels: readonly Level[]) {
    this.levels = levels;
    this.lower = levels.filter(({ number, files }) => number > 0 && files.length > 0);
    this.overlapping = (levels[0] as Level).files;
    for (const { files } of levels) for (const { run } of files) run.retain();
  }

  static empty(): Version {
    return new Version(Array.from({ length: LEVELS }, (_, number) => new Level(number, [])));
  }

  /** The version after a change. */
  changed(change: VersionChange): Version {
    const removed = new Set(change.removed);
    const levels = this.levels.map((level) => {
      const added = change.added.filter(({ entry }) => entry.level === level.number);
      const kept = level.files.filter((file) => !removed.has(file));
      if (added.length === 0 && kept.length === level.files.length) return level;
      const files = [...kept, ...added].sort(
        level.number === 0 ? (a, b) => b.entry.age - a.entry.age : (a, b) => compareKeys(a.lower, b.lower),
      );
      const next = new Level(level.number, files);
      if (level.number > 0) next.assertOrder();
      return next;
    });
    return new Version(levels);
  }

  /** Every run, newest level first. */
  files(): RunFile[] {
    return this.levels.flatMap(({ files }) => files);
  }

  get bytes(): number {
    let bytes = 0;
    for (const level of this.levels) bytes += level.bytes;
    return bytes;
  }

  get runs(): number {
    let runs = 0;
    for (const { files } of this.levels) runs += files.length;
    return runs;
  }

  retain(): void {
    assert(this.references > 0, 'a version is retained after it was let go');
    this.references++;
  }

  /** The last holder lets go of the runs. */
  release(): void {
    assert(this.references > 0, 'a version is released more often than it was retained');
    if (--this.references > 0) return;
    for (const { files } of this.levels) for (const { run } of files) run.release();
  }

  /** Looks up the key whose hash this is, as of `seq`: level 0 from the newest run to the oldest, then one run of each level. */
  get(key: Uint8Array, start: number, end: number, hash: KeyHash, seq: Seq, value: ByteSlot): Lookup {
    const { overlapping, lower } = this;
    for (let i = 0; i < overlapping.length; i++) {
      const file = overlapping[i] as RunFile;
      if (
        compareBytes(key, start, end, file.upper, 0, file.upper.length) >= 0 ||
        compareBytes(key, start, end, file.lower, 0, file.lower.length) < 0
      ) {
        continue;
      }
      const lookup = file.run.getHashed(key, start, end, hash, seq, value);
      if (lookup !== Lookup.Absent) return lookup;
    }
    for (let i = 0; i < lower.length; i++) {
      const level = lower[i] as Level;
      const at = level.find(key, start, end);
      if (at < 0) continue;
      const lookup = (level.files[at] as RunFile).run.getHashed(key, start, end, hash, seq, value);
      if (lookup !== Lookup.Absent) return lookup;
    }
    return Lookup.Absent;
  }
}

function indexOf(files: readonly RunFile[]): KeyIndex {
  const starts = new Int32Array(files.length + 1);
  let bytes = 0;
  for (let i = 0; i < files.length; i++) {
    bytes += (files[i] as RunFile).lower.length;
    starts[i + 1] = bytes;
  }
  const heap = new Uint8Array(bytes);
  for (let i = 0; i < files.length; i++) heap.set((files[i] as RunFile).lower, starts[i]!);
  return new KeyIndex(heap, starts);
}
