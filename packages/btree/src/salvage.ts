/**
 * A damaged B+tree as salvage reads it: the files that the newest meta names, newest first, the pages of its tree last.
 *
 * When that meta cannot be read and cannot be mended, the one before it is no picture of the present: flushes and merges have gone on,
 * and what it named may be gone. Then the files speak for themselves: every run that lies in the directory counts, by the seqs of its
 * entries, and so does the newest tree that a root is found of. That may be right, and cannot be proven: everything is in doubt.
 */
import { PhantomError, isPhantomError, sameIdentity } from '@phantom/base';
import { EngineCode, type LostRange, type SalvagedEngine, type SalvagedLayer } from '@phantom/kv';
import { INGESTED_NUMBER_MIN, SalvagedRun, loadedAt, mended, openLoads } from '@phantom/runs';
import type { SalvageContext } from '@phantom/store';
import { type VfsFile, joinPath } from '@phantom/vfs';
import { runName } from './file-jobs.js';
import { META_BYTES, META_SLOTS } from './format.js';
import { type Meta, isWholeMeta, readSlot } from './meta-page.js';
import { NO_FREELIST, RUN_NAME, TREE_FILE, TREE_MODULUS } from './tree-files.js';
import { TreeSalvage } from './tree-salvage.js';

const LOWER = Uint8Array.of(EngineCode.Btree << 4);
const UPPER = Uint8Array.of((EngineCode.Btree + 1) << 4);

/** Reads what can be read of the tree in a directory. */
export function salvageBtree(context: SalvageContext): SalvagedEngine {
  const path = joinPath(context.directory, TREE_FILE);
  if (!context.vfs.exists(path)) {
    tellAll(context, path, 'the tree file is gone');
    return { layers: [everythingLost(path)], flushedSeq: 0, close: () => undefined };
  }
  const file = context.vfs.open(path, { mode: 'read' });
  const opened: { close(): void }[] = [file];
  const close = (): void => opened.forEach((one) => one.close());
  try {
    const meta = newestMeta(context, file);
    const isPresent = meta !== undefined && meta.generation >= context.generationMin;
    if (isPresent) return { ...fromMeta(context, file, meta, opened), close };
    tellAll(context, path, 'the newest meta page cannot be read');
    if (meta === undefined) return { layers: [everythingLost(path)], flushedSeq: 0, close };
    return { ...fromDirectory(context, file, meta, opened), close };
  } catch (error) {
    close();
    throw error;
  }
}

function fromMeta(
  context: SalvageContext,
  file: VfsFile,
  meta: Meta,
  opened: { close(): void }[],
): Omit<SalvagedEngine, 'close'> {
  const runs = meta.runs.map(({ number, bytes, identity, seqBase }) =>
    openRun(context, runName(number), seqBase === undefined ? { bytes, identity } : { bytes, identity, seqBase }),
  );
  const loads = openLoads(context, meta.flushedSeq, runName, (name, load) => openRun(context, name, load));
  opened.push(...runs, ...loads);
  return {
    layers: [...loads, ...runs, new TreeSalvage(context, file, meta, LOWER, UPPER)],
    flushedSeq: meta.flushedSeq,
  };
}

function fromDirectory(
  context: SalvageContext,
  file: VfsFile,
  older: Meta,
  opened: { close(): void }[],
): Omit<SalvagedEngine, 'close'> {
  const { pageBytes, tree } = older;
  const pageCount = Math.floor(file.size() / pageBytes);
  const placed = { pageBytes, tree, pageCount, root: older.root, freelist: NO_FREELIST };
  const root = new TreeSalvage(context, file, placed, LOWER, UPPER).newestRoot() ?? older.root;
  const runs: SalvagedRun[] = [];
  for (const name of context.vfs.list(context.directory)) {
    const number = Number(RUN_NAME.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(number)) continue;
    const known = older.runs.find((entry) => entry.number === number)?.seqBase;
    const identity = number >= INGESTED_NUMBER_MIN ? number : (tree % TREE_MODULUS) * 2 ** 32 + number;
    const seqBase = known ?? loadedAt(context, number);
    runs.push(openRun(context, name, seqBase === undefined ? { identity } : { identity, seqBase }));
  }
  const loads = openLoads(context, older.flushedSeq, runName, (name, load) => openRun(context, name, load));
  opened.push(...runs, ...loads);
  runs.sort((a, b) => (b.run?.seqMax ?? 0) - (a.run?.seqMax ?? 0));
  const flushedSeq = Math.max(older.flushedSeq, ...runs.map(({ run }) => run?.seqMax ?? 0));
  const pages = new TreeSalvage(context, file, { ...placed, root }, LOWER, UPPER);
  return { layers: [everythingLost(file.path), ...loads, ...runs, pages], flushedSeq };
}

function newestMeta({ vfs, checksums, identity, report }: SalvageContext, file: VfsFile): Meta | undefined {
  let newest: Meta | undefined;
  for (let slot = 0; slot < META_SLOTS; slot++) {
    const offset = slot * META_BYTES;
    const read = (): Meta | undefined => {
      const meta = readSlot(file, checksums, slot);
      if (meta === undefined || identity === undefined || meta.identity === undefined) return meta;
      if (sameIdentity(meta.identity, identity)) return meta;
      throw new PhantomError('XX001', 'a meta page is of another store');
    };
    let meta: Meta | undefined;
    try {
      meta = read();
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      const mendedAt = vfs.mend(file.path, offset, META_BYTES, (piece) => isWholeMeta(piece, checksums, slot));
      const isMended = mendedAt !== undefined;
      report({
        severity: 'corruption',
        file: file.path,
        offset,
        message: isMended ? mended(mendedAt) : error.message,
        isMended,
      });
      meta = isMended ? read() : undefined;
    }
    if (meta !== undefined && (newest === undefined || meta.generation > newest.generation)) newest = meta;
  }
  return newest;
}

function openRun(
  context: SalvageContext,
  name: string,
  recorded: { readonly bytes?: number; readonly identity: number; readonly seqBase?: number },
): SalvagedRun {
  const { vfs, directory, checksums, report } = context;
  return new SalvagedRun({ vfs, directory, checksums, report, ...recorded, name, lower: LOWER, upper: UPPER });
}

/** In front of everything that is read: nothing behind it is sure to be the newest. */
function everythingLost(file: string): SalvagedLayer {
  const range: LostRange = { lower: LOWER, upper: UPPER, entries: undefined, file, offset: undefined };
  return { removals: [], items: () => [range] };
}

function tellAll({ report }: SalvageContext, file: string, message: string): void {
  report({ severity: 'corruption', file, message, isMended: false });
}
