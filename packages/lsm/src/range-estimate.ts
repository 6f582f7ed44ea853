/** What planners ask: about how much lies in a range, and where to cut it. Answered from index blocks and metadata. */
import { compareKeys } from '@phantom/base';
import type { KeyRange, RangeEstimate } from '@phantom/kv';
import { type Layer, type MemoryLayers, cutRange, overlaps } from '@phantom/runs';
import type { RunFile } from './run-file.js';
import type { Level, Version } from './version.js';

/** Keys and bytes of a range over all layers. A key that was overwritten counts once for each layer that has it. */
export function estimateRange(version: Version, above: readonly Layer[], range: KeyRange): RangeEstimate {
  let keys = 0;
  let bytes = 0;
  for (const layer of above) {
    const part = layer.estimate(range);
    keys += part.keys;
    bytes += part.bytes;
  }
  for (const level of version.levels) {
    for (const file of filesIn(level, range)) {
      const part = estimateFile(file, range);
      keys += part.keys;
      bytes += part.bytes;
    }
  }
  return { keys: Math.round(keys), bytes: Math.round(bytes) };
}

/** Cuts a range where what holds most of it, a layer in memory or a level, is cut into equal parts. */
export function splitRange(
  version: Version,
  memory: MemoryLayers<RunFile>,
  range: KeyRange,
  parts: number,
): KeyRange[] {
  let most = -1;
  let cuts = (): Uint8Array[] => [];
  const consider = (keys: number, candidate: () => Uint8Array[]): void => {
    if (keys <= most) return;
    most = keys;
    cuts = candidate;
  };
  for (const layer of memory.layers()) consider(layer.estimate(range).keys, () => layer.cuts(range, parts));
  for (const level of version.levels) {
    const files = filesIn(level, range);
    const sizes = files.map((file) => estimateFile(file, range).keys);
    if (level.number > 0) {
      consider(sum(sizes), () => levelCuts(files, sizes, range, parts));
    } else {
      files.forEach((file, i) => consider(sizes[i] as number, () => file.run.cuts(range, parts)));
    }
  }
  return cutRange(range, cuts());
}

function filesIn(level: Level, range: KeyRange): readonly RunFile[] {
  if (level.number > 0) return level.files.slice(level.firstIn(range), level.endIn(range));
  return level.files.filter((file) => overlaps(file, range));
}

/** A run that lies in the range whole is not looked into. */
function estimateFile(file: RunFile, range: KeyRange): RangeEstimate {
  const { upper } = range;
  const isInside =
    compareKeys(file.lower, range.lower) >= 0 && (upper === undefined || compareKeys(file.upper, upper) <= 0);
  return isInside ? { keys: file.entries, bytes: file.bytes } : file.run.estimate(range);
}

/** Each cut lies in the run that holds the wanted share of all keys. */
function levelCuts(files: readonly RunFile[], sizes: readonly number[], range: KeyRange, parts: number): Uint8Array[] {
  const total = sum(sizes);
  const cuts: Uint8Array[] = [];
  let at = 0;
  let before = 0;
  for (let part = 1; part < parts && total > 0; part++) {
    const wanted = (total * part) / parts;
    while (at + 1 < files.length && before + (sizes[at] as number) <= wanted) {
      before += sizes[at] as number;
      at++;
    }
    const inside = Math.max(1, sizes[at] as number);
    // Cut the run so finely that one of its cuts is near the wanted place.
    const pieces = parts * 2;
    const piece = Math.round(((wanted - before) / inside) * pieces);
    const file = files[at] as RunFile;
    const fine = file.run.cuts(range, pieces);
    cuts.push(piece === 0 ? file.lower : (fine[Math.min(piece, fine.length) - 1] ?? file.lower));
  }
  return cuts;
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
