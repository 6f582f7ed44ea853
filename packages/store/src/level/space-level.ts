/**
 * A single space behind the interface of Level (abstract-level): for code that was written against `classic-level` or
 * `memory-level`, and for what stands on them. The trees hand it out as `LsmLevel` and `BtreeLevel`.
 *
 *   - Keys and values are bytes underneath; every encoding of Level works on top. Keys sort by their bytes.
 *   - An iterator shows the state at the moment it was made, a snapshot that of its own.
 *   - `clear` of a range is one range removal, however much lies in it.
 *   - A write resolves when it is as durable as the database was opened for (`durability`, by default an fsync that writers
 *     share). `{ sync: false }` on a write makes it resolve when the operating system has it, as LevelDB does.
 *
 * Left out: `approximateSize` and `compactRange`, which are LevelDB's own and not part of abstract-level; `space` leads to
 * everything else that the store can do (synchronous writes, flush, check, statistics).
 */
import { PhantomError, SqlState, isPhantomError } from '@phantom/base';
import { createNodeVfs, joinPath } from '@phantom/vfs';
import {
  type AbstractBatchOperation,
  type AbstractDatabaseOptions,
  type AbstractIteratorOptions,
  type AbstractKeyIteratorOptions,
  AbstractLevel,
  type AbstractOpenOptions,
  AbstractSnapshot,
  type AbstractValueIteratorOptions,
} from 'abstract-level';
import { SUPERBLOCK_FILE } from '../format.js';
import {
  type SingleSpace,
  type SingleSpaceOptions,
  type SpaceReader,
  type SpaceSnapshot,
  type WriteOptions,
  openSingleSpace,
} from '../single-space.js';
import type { RangeOptions } from '../space-keys.js';
import type { EngineFactory, StoreView } from '../types.js';
import { EntryIterator, KeyIterator, ValueIterator } from './space-iterators.js';
import { SpaceWalk } from './space-walk.js';

/** Keys removed at once where `clear` has to look at each. */
const CLEAR_KEYS_MAX = 1000;

const STORE_SETTINGS: readonly (keyof SingleSpaceOptions)[] = [
  'vfs',
  'durability',
  'cacheBytes',
  'deltaBytesMax',
  'checkpointBytesMin',
  'checkpointBytesMax',
  'segmentBytes',
  'readOnly',
  'holder',
  'clock',
  'logger',
  'metrics',
  'log',
];

/** Settings of Level and of the store, side by side; `createIfMissing` and `errorIfExists` as in Level. */
export interface SpaceLevelOptions<K, V> extends AbstractDatabaseOptions<K, V>, Omit<SingleSpaceOptions, 'create'> {}

/** How a write is made durable; undefined: as the database was opened. */
interface LevelWriteOptions {
  /** False: when the operating system has it. */
  readonly sync?: boolean | undefined;
}

interface LevelReadOptions {
  readonly snapshot?: AbstractSnapshot | undefined;
}

type View = Uint8Array;
type EncodedOperation = AbstractBatchOperation<AbstractLevel<View, View, View>, View, View>;

/** Methods with an underscore are called by abstract-level, with keys and values as bytes. */
export class SpaceLevel<K = string, V = string> extends AbstractLevel<Uint8Array, K, V> {
  /** The directory. */
  readonly location: string;
  private readonly factory: EngineFactory;
  private readonly settings: SingleSpaceOptions;
  private opened: SingleSpace | undefined = undefined;

  /** Opens by itself in the next turn; calls made before that wait for it. TypeError for a location that is no path. */
  constructor(location: string, factory: EngineFactory, options: SpaceLevelOptions<K, V> = {}) {
    if (typeof location !== 'string' || location === '') {
      throw new TypeError("The first argument 'location' must be a non-empty string");
    }
    super(
      // The declaration does not know `getSync` yet.
      Object.assign(
        { getSync: true },
        {
          encodings: { view: true },
          has: true,
          createIfMissing: true,
          errorIfExists: true,
          explicitSnapshots: true,
          // Reads are synchronous, so there is nothing to abort but what abstract-level checks itself.
          signals: { iterators: false },
        },
      ),
      levelSettings(options),
    );
    this.location = location;
    this.factory = factory;
    this.settings = { ...options, vfs: options.vfs ?? createNodeVfs() };
  }

  /** What it stands on. 55000 while the database is not open. */
  get space(): SingleSpace {
    if (this.opened !== undefined) return this.opened;
    throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the database is not open');
  }

  protected async _open(options: AbstractOpenOptions): Promise<void> {
    const { location, settings } = this;
    if (options.errorIfExists === true && settings.vfs?.exists(joinPath(location, SUPERBLOCK_FILE)) === true) {
      throw levelError(`"${location}" exists already (errorIfExists is true)`, 'LEVEL_DATABASE_EXISTS', undefined);
    }
    try {
      this.opened = await openSingleSpace(location, this.factory, {
        ...settings,
        create: options.createIfMissing !== false,
      });
    } catch (error) {
      throw openError(location, error as Error);
    }
  }

  protected async _close(): Promise<void> {
    await this.space.close();
    this.opened = undefined;
  }

  protected async _put(key: View, value: View, options: LevelWriteOptions): Promise<void> {
    await this.space.put(key, value, writeOptions(options));
  }

  protected async _del(key: View, options: LevelWriteOptions): Promise<void> {
    await this.space.delete(key, writeOptions(options));
  }

  protected async _batch(operations: readonly EncodedOperation[], options: LevelWriteOptions): Promise<void> {
    const { space } = this;
    const batch = space.batch();
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value);
      else batch.delete(operation.key);
    }
    await space.write(batch, writeOptions(options));
  }

  protected async _clear(
    options: RangeOptions &
      LevelReadOptions &
      LevelWriteOptions & { readonly reverse: boolean; readonly limit: number },
  ): Promise<void> {
    const { space } = this;
    if (options.limit === -1 && options.snapshot === undefined) {
      await space.deleteRange(boundsOf(options), writeOptions(options));
      return;
    }
    const walk = this.walk(options);
    try {
      let left = options.limit === -1 ? Number.POSITIVE_INFINITY : options.limit;
      while (left > 0) {
        const keys = walk.keysOf(Math.min(left, CLEAR_KEYS_MAX));
        if (keys.length === 0) return;
        const batch = space.batch();
        for (const key of keys) batch.delete(key);
        await space.write(batch, writeOptions(options));
        left -= keys.length;
      }
    } finally {
      walk.close();
    }
  }

  protected async _get(key: View, options: LevelReadOptions): Promise<View | undefined> {
    return this.reader(options).get(key);
  }

  protected _getSync(key: View, options: LevelReadOptions): View | undefined {
    return this.reader(options).get(key);
  }

  protected async _getMany(keys: readonly View[], options: LevelReadOptions): Promise<(View | undefined)[]> {
    const reader = this.reader(options);
    return keys.map((key) => reader.get(key));
  }

  protected async _has(key: View, options: LevelReadOptions): Promise<boolean> {
    return this.reader(options).has(key);
  }

  protected async _hasMany(keys: readonly View[], options: LevelReadOptions): Promise<boolean[]> {
    const reader = this.reader(options);
    return keys.map((key) => reader.has(key));
  }

  protected _snapshot(options: object): LevelSnapshot {
    return new LevelSnapshot(this.space.snapshot(), this.space.store.view(), options);
  }

  protected _iterator(options: AbstractIteratorOptions<View, View>): EntryIterator<this> {
    return new EntryIterator(this, this.walk(options), options);
  }

  protected _keys(options: AbstractKeyIteratorOptions<View>): KeyIterator<this> {
    return new KeyIterator(this, this.walk(options), options);
  }

  protected _values(options: AbstractValueIteratorOptions<View, View>): ValueIterator<this> {
    return new ValueIterator(this, this.walk(options), options);
  }

  private reader({ snapshot }: LevelReadOptions): SpaceReader {
    return snapshot === undefined ? this.space : (snapshot as LevelSnapshot).reader;
  }

  private walk(options: RangeOptions & LevelReadOptions & { readonly reverse?: boolean | undefined }): SpaceWalk {
    const { snapshot, reverse = false } = options;
    const view = snapshot === undefined ? this.space.store.view() : (snapshot as LevelSnapshot).retainView();
    return new SpaceWalk(view, this.factory.code, boundsOf(options), reverse);
  }
}

/** A snapshot as Level knows it; closed with the database at the latest. */
class LevelSnapshot extends AbstractSnapshot {
  readonly reader: SpaceSnapshot;
  private readonly view: StoreView;

  constructor(reader: SpaceSnapshot, view: StoreView, options: object) {
    // The declaration leaves out the argument that the class insists on.
    super(...([options] as unknown as []));
    this.reader = reader;
    this.view = view;
  }

  /** The same moment, for an iterator, which may outlive it. LEVEL_SNAPSHOT_NOT_OPEN once it is closed. */
  retainView(): StoreView {
    this.ref();
    this.unref();
    return this.view.retain();
  }

  protected async _close(): Promise<void> {
    this.reader.close();
    this.view.release();
  }
}

/** What Level knows and shows to whoever listens for the opening: all but the settings of the store. */
function levelSettings<T extends object>(options: T): T {
  const shown = { ...options };
  for (const name of STORE_SETTINGS) delete (shown as Record<string, unknown>)[name];
  return shown;
}

/** In Level an inclusive bound overrides the exclusive one of its side. */
function boundsOf({ gt, gte, lt, lte }: RangeOptions): RangeOptions {
  return { gte, gt: gte === undefined ? gt : undefined, lte, lt: lte === undefined ? lt : undefined };
}

function writeOptions({ sync }: LevelWriteOptions): WriteOptions | undefined {
  return sync === false ? { durability: 'os' } : undefined;
}

/** Why the database did not open, under the codes that users of LevelDB look for. */
function openError(location: string, error: Error): Error {
  if (!isPhantomError(error)) return error;
  switch (error.code) {
    case SqlState.UndefinedFile:
      return levelError(`"${location}" does not exist (createIfMissing is false)`, 'LEVEL_DATABASE_MISSING', error);
    case SqlState.ObjectInUse:
      return levelError(error.message, 'LEVEL_LOCKED', error);
    case SqlState.DataCorrupted:
      return levelError(error.message, 'LEVEL_CORRUPTION', error);
    default:
      return error;
  }
}

function levelError(message: string, code: string, cause: Error | undefined): Error {
  return Object.assign(cause === undefined ? new Error(message) : new Error(message, { cause }), { code });
}
