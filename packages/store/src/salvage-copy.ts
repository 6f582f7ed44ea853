/**
 * A store made of what was salvaged of another one, by the same steps as a copy (store-copy.ts): written past log and memory, synced,
 * opened again and read back, and only then given its name.
 *
 * Invariants:
 *   1. Before everything is durable and was read back as it was written, the directory holds no store that anybody would open.
 *   2. The damaged store is only read.
 */
import { type Checksums, eventLoop, loadChecksums } from '@phantom/base';
import { CursorBatch, type EngineCode, type SalvagedRow, engineOfKey, isLostRange } from '@phantom/kv';
import type { BulkLoad } from './bulk-load.js';
import { discardUnfinished, isVolatile, openUnfinished } from './open-store.js';
import type { SalvagedStore } from './salvage.js';
import { Reading, differentCopy, nameSuperblock, rangeOf } from './store-copy.js';
import type { EngineFactory, Store, StoreOptions, StoreOrigin } from './types.js';

/** Entries read at once, and written between two looks at the clock. */
const BATCH_ENTRIES = 128;

export interface SalvageCopyOptions extends Pick<StoreOptions, 'vfs' | 'engines' | 'logger'> {
  /** The value that goes into the copy; undefined: the entry does not. */
  readonly take: (row: SalvagedRow) => Uint8Array | undefined;
}

/**
 * Writes what was salvaged into a directory that is empty or not there; durable and read back once resolved, with the number of
 * entries. On an error nothing is left but empty folders. 22023 when something else is there, 53100 and 58030 from the disk.
 */
export async function copySalvaged(
  salvaged: SalvagedStore,
  directory: string,
  { take, ...others }: SalvageCopyOptions,
): Promise<number> {
  const holder = { pid: process.pid, description: `a repair by process ${process.pid}` };
  const options: StoreOptions = { ...others, holder };
  const checksums = await loadChecksums();
  const filled = options.engines.filter((factory) => !isVolatile(factory));
  const origin = salvaged.origin();
  try {
    const copy = await openUnfinished(directory, options, origin);
    let written: Reading;
    try {
      written = await write(salvaged, copy, take, checksums);
      await copy.close();
    } catch (error) {
      await copy.close({ checkpoint: false }).catch(() => undefined);
      throw error;
    }
    await readBack(directory, options, origin, filled, written, checksums);
    nameSuperblock(options.vfs, directory);
    return written.entries;
  } catch (error) {
    await discardUnfinished(directory, options).catch(() => undefined);
    throw error;
  }
}

async function write(
  salvaged: SalvagedStore,
  copy: Store,
  take: SalvageCopyOptions['take'],
  checksums: Checksums,
): Promise<Reading> {
  const written = new Reading(checksums);
  let load: BulkLoad | undefined;
  let code: EngineCode | undefined;
  let beganMs = performance.now();
  try {
    for (const row of salvaged.rows()) {
      if (isLostRange(row)) continue;
      const value = take(row);
      if (value === undefined) continue;
      const { key } = row;
      if (engineOfKey(key, 0) !== code) {
        await load?.commit();
        code = engineOfKey(key, 0);
        load = copy.beginLoad(code);
      }
      load?.put(key, 0, key.length, value, 0, value.length);
      written.entry(key, 0, key.length, value, 0, value.length);
      if (written.entries % BATCH_ENTRIES === 0 && eventLoop.isOverdue()) {
        await eventLoop.giveWay(performance.now() - beganMs);
        beganMs = performance.now();
      }
    }
    await load?.commit();
  } catch (error) {
    load?.discard();
    throw error;
  }
  return written;
}

async function readBack(
  directory: string,
  options: StoreOptions,
  origin: StoreOrigin,
  filled: readonly EngineFactory[],
  written: Reading,
  checksums: Checksums,
): Promise<void> {
  const copy = await openUnfinished(directory, { ...options, readOnly: true }, origin);
  try {
    const found = new Reading(checksums);
    const batch = new CursorBatch(BATCH_ENTRIES);
    const view = copy.view();
    try {
      for (const { code } of filled) {
        if (copy.engine(code) === undefined) continue;
        const cursor = view.cursor(rangeOf(code));
        try {
          while (cursor.fill(batch) > 0) found.take(batch);
        } finally {
          cursor.close();
        }
      }
    } finally {
      view.release();
    }
    if (!found.equals(written)) throw differentCopy(directory, written, found);
  } finally {
    await copy.close().catch(() => undefined);
  }
}
