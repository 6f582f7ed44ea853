/** Writes that are committed together: all of them or none, also after a crash. */
import { PhantomError, SqlState, compareKeys } from '@phantom/base';
import { type EngineCode, WriteBatch } from '@phantom/kv';
import { type RangeOptions, SpaceKeys, checkBytes } from './space-keys.js';

/** A write as plain data, for callers who have lists of them. */
export type SpaceOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }
  | ({ readonly type: 'deleteRange' } & RangeOptions);

/**
 * Collects writes; later ones win. Keys and values are copied. While it is being committed it takes no more (55000); once it
 * is committed it is empty and may be used again. One that was refused is as it was.
 */
export class SpaceBatch {
  /** What is committed. */
  readonly writes: WriteBatch;
  private readonly keys: SpaceKeys;
  private isUnderWay = false;

  /** `memory` is what it begins with: so many bytes, or bytes that are its own from now on. */
  constructor(code: EngineCode, memory?: number | Uint8Array) {
    this.writes = new WriteBatch(memory);
    this.keys = new SpaceKeys(code);
  }

  /** Writes so far. */
  get length(): number {
    return this.writes.count;
  }

  put(key: Uint8Array, value: Uint8Array): this {
    const { keys } = this;
    if (this.isUnderWay) throw underWay();
    checkBytes(value, 'a value');
    keys.set(key);
    this.writes.put(keys.buffer, 0, keys.length, value, 0, value.length);
    return this;
  }

  delete(key: Uint8Array): this {
    const { keys } = this;
    if (this.isUnderWay) throw underWay();
    keys.set(key);
    this.writes.remove(keys.buffer, 0, keys.length);
    return this;
  }

  /** Removes every key in the range; with no bounds, everything. Costs the same however many there are. */
  deleteRange(bounds: RangeOptions = {}): this {
    if (this.isUnderWay) throw underWay();
    const { lower, upper } = this.keys.rangeOf(bounds);
    if (upper !== undefined && compareKeys(lower, upper) < 0) this.writes.removeRange(lower, upper);
    return this;
  }

  /** Adds a write that is given as data. */
  add(operation: SpaceOperation): this {
    if (operation.type === 'put') return this.put(operation.key, operation.value);
    if (operation.type === 'delete') return this.delete(operation.key);
    if (operation.type === 'deleteRange') return this.deleteRange(operation);
    throw new PhantomError(SqlState.InvalidParameterValue, 'a write is neither put, delete nor deleteRange');
  }

  /** Forgets all writes. */
  clear(): this {
    if (this.isUnderWay) throw underWay();
    this.writes.reset();
    return this;
  }

  /** Its commit begins. */
  begin(): void {
    if (this.isUnderWay) throw underWay();
    this.isUnderWay = true;
  }

  /** Its commit is over. */
  end(): void {
    this.isUnderWay = false;
  }
}

function underWay(): PhantomError {
  return new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the batch is being committed', {
    hint: 'Await its write first, or collect in another batch.',
  });
}
