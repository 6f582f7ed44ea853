/** Bulk loads of a single space: what its user hands over becomes a load of its engine, in turns of the event loop. */
import { PhantomError, SqlState, compareBytes, eventLoop } from '@phantom/base';
import { SPACE_BYTES, type Seq } from '@phantom/kv';
import type { BulkLoad } from './bulk-load.js';
import { type SpaceKeys, checkBytes } from './space-keys.js';
import type { SpaceEntry } from './space-scan.js';

export type SpaceEntries = Iterable<SpaceEntry> | AsyncIterable<SpaceEntry>;

/** Entries between two looks at the clock. */
const ENTRIES_PER_LOOK = 64;

/**
 * Commits the entries together; resolves with the seq. 22023 when a key does not lie behind the one before it. The keys are
 * the load's alone. After an error nothing is left of it.
 */
export async function loadEntries(load: BulkLoad, keys: SpaceKeys, entries: SpaceEntries): Promise<Seq> {
  try {
    const loader = new Loader(load, keys);
    if (Symbol.asyncIterator in entries) {
      for await (const entry of entries) loader.add(entry);
    } else {
      for (const entry of entries) if (loader.add(entry)) await eventLoop.nextTurn();
    }
    return await load.commit();
  } catch (error) {
    load.discard();
    throw error;
  }
}

class Loader {
  private readonly load: BulkLoad;
  private readonly keys: SpaceKeys;
  private count = 0;

  constructor(load: BulkLoad, keys: SpaceKeys) {
    this.load = load;
    this.keys = keys;
  }

  /** True when others should have their turn. */
  add({ key, value }: SpaceEntry): boolean {
    const { keys, load } = this;
    checkBytes(value, 'a value');
    if (this.count > 0 && compareBytes(keys.buffer, SPACE_BYTES, keys.length, key, 0, key.length) >= 0) {
      throw new PhantomError(SqlState.InvalidParameterValue, 'the keys of a load ascend', {
        detail: `Entry ${this.count + 1} does not lie behind the one before it.`,
      });
    }
    keys.set(key);
    load.put(keys.buffer, 0, keys.length, value, 0, value.length);
    return ++this.count % ENTRIES_PER_LOOK === 0 && eventLoop.isOverdue();
  }
}
