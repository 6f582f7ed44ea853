/** Level's three iterators over one walk: entries, keys, values. abstract-level does encodings, limits and life. */
import {
  AbstractIterator,
  type AbstractIteratorOptions,
  AbstractKeyIterator,
  type AbstractKeyIteratorOptions,
  AbstractValueIterator,
  type AbstractValueIteratorOptions,
} from 'abstract-level';
import type { SpaceWalk } from './space-walk.js';

type View = Uint8Array;

export class EntryIterator<TDatabase> extends AbstractIterator<TDatabase, View, View> {
  private readonly walk: SpaceWalk;
  private readonly wantsKeys: boolean;
  private readonly wantsValues: boolean;

  constructor(db: TDatabase, walk: SpaceWalk, options: AbstractIteratorOptions<View, View>) {
    super(db, options);
    this.walk = walk;
    this.wantsKeys = options.keys !== false;
    this.wantsValues = options.values !== false;
  }

  protected async _next(): Promise<[View, View] | undefined> {
    const { walk } = this;
    return walk.next(this.wantsKeys, this.wantsValues) ? [walk.key, walk.value] : undefined;
  }

  protected async _nextv(size: number): Promise<[View, View][]> {
    return this.walk.take(size, this.wantsKeys, this.wantsValues, (key, value): [View, View] => [key, value]);
  }

  protected _seek(target: View): void {
    this.walk.seek(target);
  }

  protected async _close(): Promise<void> {
    this.walk.close();
  }
}

export class KeyIterator<TDatabase> extends AbstractKeyIterator<TDatabase, View> {
  private readonly walk: SpaceWalk;

  constructor(db: TDatabase, walk: SpaceWalk, options: AbstractKeyIteratorOptions<View>) {
    super(db, options);
    this.walk = walk;
  }

  protected async _next(): Promise<View | undefined> {
    return this.walk.next(true, false) ? this.walk.key : undefined;
  }

  protected async _nextv(size: number): Promise<View[]> {
    return this.walk.take(size, true, false, (key) => key);
  }

  protected _seek(target: View): void {
    this.walk.seek(target);
  }

  protected async _close(): Promise<void> {
    this.walk.close();
  }
}

export class ValueIterator<TDatabase> extends AbstractValueIterator<TDatabase, View, View> {
  private readonly walk: SpaceWalk;

  constructor(db: TDatabase, walk: SpaceWalk, options: AbstractValueIteratorOptions<View, View>) {
    super(db, options);
    this.walk = walk;
  }

  protected async _next(): Promise<View | undefined> {
    return this.walk.next(false, true) ? this.walk.value : undefined;
  }

  protected async _nextv(size: number): Promise<View[]> {
    return this.walk.take(size, false, true, (_key, value) => value);
  }

  protected _seek(target: View): void {
    this.walk.seek(target);
  }

  protected async _close(): Promise<void> {
    this.walk.close();
  }
}
