/** A run as plain objects: what the tests compare runs and merges with. */
import { type Checksums, compareKeys } from '@phantom/base';
import { ByteSlot, type KeyRange } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import type { Vfs } from '@phantom/vfs';
import {
  BlockCache,
  Lookup,
  type RangeTombstone,
  Run,
  RunWriter,
  type RunWriterOptions,
  VersionKind,
} from '../src/index.js';

export interface ModelVersion {
  readonly key: Uint8Array;
  readonly seq: number;
  /** Undefined: a removal. */
  readonly value: Uint8Array | undefined;
}

/** Versions by key, then falling seq; two of the same key and seq are one. */
export function sortVersions(versions: readonly ModelVersion[]): ModelVersion[] {
  const sorted = [...versions].sort((a, b) => compareKeys(a.key, b.key) || b.seq - a.seq);
  return sorted.filter((version, i) => {
    const before = sorted[i - 1];
    return before === undefined || compareKeys(before.key, version.key) !== 0 || before.seq !== version.seq;
  });
}

let identities = 1;

export interface WriteModelOptions {
  readonly checksums: Checksums;
  readonly vfs?: Vfs;
  readonly path?: string;
  readonly cache?: BlockCache;
  readonly writer?: Partial<RunWriterOptions>;
}

/** Writes the versions as a run and opens it. */
export function writeModel(
  versions: readonly ModelVersion[],
  tombstones: readonly RangeTombstone[],
  options: WriteModelOptions,
): Run {
  const { checksums } = options;
  const vfs = options.vfs ?? new MemoryVfs({ losesPower: false });
  const path = options.path ?? `run-${identities}`;
  const identity = identities++;
  const writer = new RunWriter({ vfs, path, checksums, identity, ...options.writer });
  for (const { key, seq, value } of versions) {
    const kind = value === undefined ? VersionKind.Remove : VersionKind.Put;
    const bytes = value ?? new Uint8Array(0);
    writer.add(key, 0, key.length, seq, kind, bytes, 0, bytes.length);
  }
  for (const tombstone of tombstones) writer.addRangeTombstone(tombstone);
  const summary = writer.finish();
  writer.syncNow();
  writer.close();
  const cache = options.cache ?? new BlockCache(1 << 20);
  return new Run({ vfs, path, checksums, cache, bytes: summary.bytes, identity: summary.identity });
}

/** What a layer answers for a key as of a seq. */
export function modelGet(
  versions: readonly ModelVersion[],
  tombstones: readonly RangeTombstone[],
  key: Uint8Array,
  seq: number,
): { lookup: Lookup; value?: Uint8Array } {
  const version = versions.find((candidate) => compareKeys(candidate.key, key) === 0 && candidate.seq <= seq);
  const covering = Math.max(-1, ...tombstones.filter((t) => t.seq <= seq && covers(t, key)).map((t) => t.seq));
  if (version === undefined) return { lookup: covering >= 0 ? Lookup.Removed : Lookup.Absent };
  if (version.value === undefined || version.seq < covering) return { lookup: Lookup.Removed };
  return { lookup: Lookup.Found, value: version.value };
}

export function covers(tombstone: { lower: Uint8Array; upper: Uint8Array }, key: Uint8Array): boolean {
  return compareKeys(tombstone.lower, key) <= 0 && compareKeys(key, tombstone.upper) < 0;
}

export function inRange(range: KeyRange, key: Uint8Array): boolean {
  return compareKeys(range.lower, key) <= 0 && (range.upper === undefined || compareKeys(key, range.upper) < 0);
}

export interface ModelEntry {
  readonly key: Uint8Array;
  /** Undefined: removed. */
  readonly value: Uint8Array | undefined;
}

/** The entries that a layer's cursor shows. */
export function modelEntries(
  versions: readonly ModelVersion[],
  tombstones: readonly RangeTombstone[],
  range: KeyRange,
  seq: number,
): ModelEntry[] {
  const keys: Uint8Array[] = [];
  for (const { key, seq: version } of versions) {
    const last = keys[keys.length - 1];
    if (version <= seq && inRange(range, key) && (last === undefined || compareKeys(last, key) !== 0)) keys.push(key);
  }
  return keys.map((key) => ({ key, value: modelGet(versions, tombstones, key, seq).value }));
}

export function getFrom(run: Run, key: Uint8Array, seq: number): { lookup: Lookup; value?: Uint8Array } {
  const slot = new ByteSlot();
  const lookup = run.get(key, 0, key.length, seq, slot);
  return lookup === Lookup.Found ? { lookup, value: slot.copy() } : { lookup };
}
