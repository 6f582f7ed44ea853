/**
 * What can be read of an engine's files when some of them are damaged, in one form for all engines: layers, newest first, each of
 * which walks its entries in the order of their keys and says where it has lost some. Putting them together is the same for all:
 *
 *      newest   tail of the log     k1      k4
 *               run                 k1  xxxxxxxxx      lost: [k2, k5), at most 3 entries
 *      oldest   pages               k1  k2  k3  k6
 *
 *      salvaged                     k1  k2? k3? k4  k6      k2 and k3 may be older than what was lost: doubtful
 *
 * Invariants:
 *   1. Every entry that is handed out was read whole, under a checksum, and is the newest of its key among those that were.
 *   2. An entry from below a lost range is marked with it. One that is not marked is the newest there was.
 */
import { compareKeys } from '@phantom/base';
import type { Finding } from './engine.js';
import type { Seq } from './seq.js';

/** What was wrong with a file; `isMended` when it was told what the bytes had been, so that nothing is lost by it. */
export interface SalvageFinding extends Finding {
  readonly isMended: boolean;
}

/** Takes findings as they are made. */
export type SalvageReport = (finding: SalvageFinding) => void;

/** The newest version of a key in a layer. Its bytes belong to whoever takes it. */
export interface SalvagedEntry {
  readonly key: Uint8Array;
  /** Undefined where the key was removed. */
  readonly value: Uint8Array | undefined;
  /** 0 in pages, which are older than everything else. */
  readonly seq: Seq;
}

/** Keys that a layer may have had and that cannot be read. */
export interface LostRange {
  readonly lower: Uint8Array;
  /** Exclusive; undefined: up to the end of the engine's keys. */
  readonly upper: Uint8Array | undefined;
  /** At most so many entries; undefined when nobody knows. 0: nothing but removals of what is older. */
  readonly entries: number | undefined;
  readonly file: string;
  readonly offset: number | undefined;
}

/** Every key of [lower, upper) was removed at `seq`. */
export interface SalvagedRemoval {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
  readonly seq: Seq;
}

export interface SalvagedLayer {
  readonly removals: readonly SalvagedRemoval[];
  /** Entries by their keys and lost ranges by their lower ends, ascending; no entry lies in a lost range of its own layer that has entries. */
  items(): Iterable<SalvagedEntry | LostRange>;
}

/** What can be read of an engine. `close` it. */
export interface SalvagedEngine {
  /** Newest first. Each may be walked more than once. */
  readonly layers: readonly SalvagedLayer[];
  /** The files have the effects of the commits up to this one; 0 when nobody knows. */
  readonly flushedSeq: Seq;
  close(): void;
}

/** An entry of an engine, put together from its layers. */
export interface SalvagedRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The newest lost range that may have had a newer version. */
  readonly doubt: LostRange | undefined;
}

export function isLostRange(item: SalvagedEntry | SalvagedRow | LostRange): item is LostRange {
  return 'lower' in item;
}

/** A layer where it stands. */
class Walk {
  readonly layer: number;
  current: SalvagedEntry | LostRange | undefined;
  private readonly items: Iterator<SalvagedEntry | LostRange>;

  constructor(layer: number, items: Iterable<SalvagedEntry | LostRange>) {
    this.layer = layer;
    this.items = items[Symbol.iterator]();
    this.next();
  }

  next(): void {
    const step = this.items.next();
    this.current = step.done === true ? undefined : step.value;
  }

  get position(): Uint8Array | undefined {
    const { current } = this;
    if (current === undefined) return undefined;
    return isLostRange(current) ? current.lower : current.key;
  }
}

/** The entries of an engine in the order of their keys, and its lost ranges in the order of their lower ends. */
export function* mergeSalvaged(layers: readonly SalvagedLayer[]): Generator<SalvagedRow | LostRange, void, void> {
  const walks = layers.map((layer, i) => new Walk(i, layer.items()));
  const removals = layers.flatMap((layer) => layer.removals).toSorted((a, b) => compareKeys(a.lower, b.lower));
  let removalsBegun = 0;
  let covering: SalvagedRemoval[] = [];
  let lost: { readonly layer: number; readonly range: LostRange }[] = [];
  for (;;) {
    const least = leastOf(walks);
    if (least === undefined) return;
    const { current } = least;
    if (current === undefined) return;
    if (isLostRange(current)) {
      lost.push({ layer: least.layer, range: current });
      yield current;
      least.next();
      continue;
    }
    const { key } = current;
    const { entry, layer } = newestOf(walks, key);
    while (removalsBegun < removals.length) {
      const removal = removals[removalsBegun] as SalvagedRemoval;
      if (compareKeys(removal.lower, key) > 0) break;
      covering.push(removal);
      removalsBegun++;
    }
    covering = covering.filter(({ upper }) => compareKeys(key, upper) < 0);
    lost = lost.filter(({ range: { upper } }) => upper === undefined || compareKeys(key, upper) < 0);
    const isRemoved = entry.value === undefined || covering.some(({ seq }) => seq > entry.seq);
    if (!isRemoved) {
      const doubt = lost.find((one) => one.layer < layer)?.range;
      yield { key, value: entry.value as Uint8Array, doubt };
    }
  }
}

/** The walk with the smallest key; of several the first, and one that stands at a lost range before any that stands at an entry. */
function leastOf(walks: readonly Walk[]): Walk | undefined {
  let least: Walk | undefined;
  for (const walk of walks) {
    const { position, current } = walk;
    if (position === undefined || current === undefined) continue;
    const order = least === undefined ? -1 : compareKeys(position, least.position as Uint8Array);
    const goesBefore = order === 0 && isLostRange(current) && !isLostRange(least?.current as SalvagedEntry);
    if (order < 0 || goesBefore) least = walk;
  }
  return least;
}

/** The newest version of a key, and its layer; all walks that stand at the key go on. */
function newestOf(walks: readonly Walk[], key: Uint8Array): { entry: SalvagedEntry; layer: number } {
  let newest: { entry: SalvagedEntry; layer: number } | undefined;
  for (const walk of walks) {
    const { current } = walk;
    if (current === undefined || isLostRange(current) || compareKeys(current.key, key) !== 0) continue;
    if (newest === undefined || current.seq > newest.entry.seq) newest = { entry: current, layer: walk.layer };
    walk.next();
  }
  return newest as { entry: SalvagedEntry; layer: number };
}
