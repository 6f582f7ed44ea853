/**
 * A damaged LSM-tree as salvage reads it: the runs that the newest manifest names, those of level 0 one by one, newest first, then
 * each level as one layer, since the runs of a level do not overlap.
 *
 * When the newest state of the manifest cannot be read and cannot be mended, an older one is no picture of the present: then every run
 * that lies in the directory counts, by the seqs of its entries. That may be right, and cannot be proven: everything is in doubt.
 */
import { compareKeys, isPhantomError, sameIdentity } from '@phantom/base';
import { EngineCode, type LostRange, type SalvagedEngine, type SalvagedLayer } from '@phantom/kv';
import { INGESTED_NUMBER_MIN, SalvagedRun, loadedAt, mended, openLoads } from '@phantom/runs';
import type { SalvageContext } from '@phantom/store';
import { joinPath } from '@phantom/vfs';
import { LEVELS, RUN_NUMBER_MAX, manifestName, numberOfManifest, numberOfRun, runName } from './format.js';
import { type ParsedManifest, type RunEntry, parseManifest } from './manifest-codec.js';

const LOWER = Uint8Array.of(EngineCode.Lsm << 4);
const UPPER = Uint8Array.of((EngineCode.Lsm + 1) << 4);
/** Of a manifest that does not end where its file does, so many bytes behind the end are tried for a turned bit. */
const TRIED_BYTES_MAX = 4096;

/** Reads what can be read of the LSM-tree in a directory. */
export function salvageLsm(context: SalvageContext): SalvagedEngine {
  const { vfs, directory, generationMin, report } = context;
  const manifest = vfs.exists(directory) ? newestManifest(context) : undefined;
  const found = manifest?.state.generation ?? 0;
  const isNew = generationMin === 0 && (!vfs.exists(directory) || vfs.list(directory).length === 0);
  if (isNew) return { layers: [], flushedSeq: 0, close: () => undefined };
  const flushedSeq = manifest?.state.flushedSeq ?? 0;
  const loads = openLoads(context, flushedSeq, runName, (name, load) => openRun(context, name, load));
  if (manifest !== undefined && found >= generationMin) {
    const runs = [...manifest.state.runs.values()].map((entry) => ({ entry, run: openEntry(context, entry) }));
    return {
      layers: [...loads, ...layersOf(runs)],
      flushedSeq,
      close: closing([...loads, ...runs.map(({ run }) => run)]),
    };
  }
  const file = joinPath(directory, manifestName(manifest?.number ?? 1));
  report({ severity: 'corruption', file, message: 'the newest state of the manifest cannot be read', isMended: false });
  const runs = runsThere(context, manifest);
  return {
    layers: [everythingLost(file), ...loads, ...runs],
    flushedSeq: Math.max(flushedSeq, ...runs.map(({ run }) => run?.seqMax ?? 0)),
    close: closing([...loads, ...runs]),
  };
}

function closing(opened: readonly SalvagedRun[]): () => void {
  return () => opened.forEach((one) => one.close());
}

function layersOf(runs: readonly { readonly entry: RunEntry; readonly run: SalvagedRun }[]): SalvagedLayer[] {
  const layers: SalvagedLayer[] = [];
  for (let level = 0; level < LEVELS; level++) {
    const own = runs.filter(({ entry }) => entry.level === level);
    if (level === 0) {
      layers.push(...own.toSorted((a, b) => b.entry.age - a.entry.age).map(({ run }) => run));
    } else if (own.length > 0) {
      layers.push(new Level(own.flatMap(({ run }) => (run.run === undefined ? [] : [run]))));
      // Nobody knows which keys these had: they hide what lies below the level, and nothing in it.
      layers.push(...own.flatMap(({ run }) => (run.run === undefined ? [run] : [])));
    }
  }
  return layers;
}

/** Runs that do not overlap, one behind the other. */
class Level implements SalvagedLayer {
  readonly removals;
  private readonly runs: readonly SalvagedRun[];

  constructor(runs: readonly SalvagedRun[]) {
    const keyOf = (one: SalvagedRun): Uint8Array => one.run?.smallestKey ?? LOWER;
    this.runs = runs.toSorted((a, b) => compareKeys(keyOf(a), keyOf(b)));
    this.removals = runs.flatMap(({ removals }) => removals);
  }

  *items(): ReturnType<SalvagedRun['items']> {
    for (const run of this.runs) yield* run.items();
  }
}

function newestManifest(context: SalvageContext): ParsedManifest | undefined {
  let newest: ParsedManifest | undefined;
  for (const name of context.vfs.list(context.directory)) {
    const number = numberOfManifest(name);
    if (number === undefined) continue;
    const parsed = readManifest(context, joinPath(context.directory, name), number);
    if (parsed === undefined) continue;
    const ahead = newest === undefined ? 1 : parsed.state.generation - newest.state.generation;
    if (ahead > 0 || (ahead === 0 && parsed.number > (newest?.number ?? 0))) newest = parsed;
  }
  return newest;
}

function readManifest(context: SalvageContext, path: string, number: number): ParsedManifest | undefined {
  const { vfs, checksums, identity, generationMin, report } = context;
  const parse = (bytes: Uint8Array): ParsedManifest | undefined => {
    try {
      return parseManifest(bytes, path, number, checksums);
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      return undefined;
    }
  };
  let bytes = wholeFile(context, path);
  let parsed = parse(bytes);
  if (parsed !== undefined && (parsed.isWhole || parsed.state.generation >= generationMin)) {
    const isOwn = identity === undefined || parsed.identity === undefined || sameIdentity(parsed.identity, identity);
    if (isOwn) return parsed;
    report({ severity: 'corruption', file: path, message: 'the manifest is of another store', isMended: false });
    return undefined;
  }
  // A record is tried where the whole ones end; with its bit put right the next one may be broken as well.
  for (let end = parsed?.end ?? 0; ; end = parsed?.end ?? 0) {
    const tried = Math.min(TRIED_BYTES_MAX, bytes.length - end);
    const before = bytes;
    const mendedAt = vfs.mend(path, end, tried, (piece) => {
      const whole = before.slice();
      whole.set(piece, end);
      return (parse(whole)?.end ?? 0) > end;
    });
    if (mendedAt === undefined) return parsed;
    report({ severity: 'corruption', file: path, offset: mendedAt, message: mended(mendedAt), isMended: true });
    bytes = wholeFile(context, path);
    parsed = parse(bytes);
    if (parsed?.isWhole === true) return parsed;
  }
}

function wholeFile({ vfs }: SalvageContext, path: string): Uint8Array {
  const file = vfs.open(path, { mode: 'read' });
  try {
    const bytes = new Uint8Array(file.size());
    return bytes.subarray(0, file.readAt(0, bytes));
  } finally {
    file.close();
  }
}

/** Every run in the directory, newest first by what it has. */
function runsThere(context: SalvageContext, older: ParsedManifest | undefined): SalvagedRun[] {
  const runs: SalvagedRun[] = [];
  if (!context.vfs.exists(context.directory)) return runs;
  for (const name of context.vfs.list(context.directory)) {
    const number = numberOfRun(name);
    if (number === undefined) continue;
    const known = older?.state.runs.get(number)?.seqBase ?? loadedAt(context, number);
    const identity = identityOf(number, older);
    runs.push(
      openRun(context, name, {
        ...(identity === undefined ? {} : { identity }),
        ...(known === undefined ? {} : { seqBase: known }),
      }),
    );
  }
  return runs.sort((a, b) => (b.run?.seqMax ?? 0) - (a.run?.seqMax ?? 0));
}

function identityOf(number: number, older: ParsedManifest | undefined): number | undefined {
  if (number >= INGESTED_NUMBER_MIN) return number;
  return older === undefined ? undefined : older.engine * RUN_NUMBER_MAX + number;
}

function openEntry(context: SalvageContext, { number, bytes, identity, seqBase }: RunEntry): SalvagedRun {
  const recorded = { bytes, identity };
  return openRun(context, runName(number), seqBase === undefined ? recorded : { ...recorded, seqBase });
}

function openRun(
  context: SalvageContext,
  name: string,
  recorded: { readonly bytes?: number; readonly identity?: number; readonly seqBase?: number },
): SalvagedRun {
  const { vfs, directory, checksums, report } = context;
  return new SalvagedRun({ vfs, directory, checksums, report, ...recorded, name, lower: LOWER, upper: UPPER });
}

/** In front of everything that is read: nothing behind it is sure to be the newest. */
function everythingLost(file: string): SalvagedLayer {
  const range: LostRange = { lower: LOWER, upper: UPPER, entries: undefined, file, offset: undefined };
  return { removals: [], items: () => [range] };
}
