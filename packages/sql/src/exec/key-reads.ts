/**
 * Reads of single keys of a space, many of them at one place in the code: rows that entries of an index point to, partners in
 * a join by key. Each is a read by itself, which the cache of single entries answers for keys that are asked for again. Of a
 * statement that has read more than that cache is worth asking for, further keys go through one cursor that is aimed at each:
 * it begins near where it stands, copies nothing, and puts nothing out of caches.
 *
 * Where what is read is remembered (serializable) every key is read by itself.
 */
import { compareBytes } from '@phantom/base';
import type { ByteSlot, KvCursor } from '@phantom/kv';
import type { PhysicalIndex, PhysicalTable } from '../storage/physical-table.js';
import type { Statement } from './run.js';
import type { ReadSource } from './runtime.js';
import { wholeRange } from './table-access.js';

/** A place in the code reads so many keys by themselves. */
const READS_ALONE_MAX = 64 * 1024;

/** What finds the value of a key. */
export type KeySource = Pick<ReadSource, 'get'>;

export class KeyReads implements KeySource {
  private readonly read: ReadSource;
  private readonly space: Pick<PhysicalTable, 'prefix'>;
  private readsLeft: number;
  private cursor: KvCursor | undefined;

  constructor(read: ReadSource, space: Pick<PhysicalTable, 'prefix'>, readsAloneMax = READS_ALONE_MAX) {
    this.read = read;
    this.space = space;
    this.readsLeft = read.tracksReads === true ? Infinity : readsAloneMax;
  }

  /** True and `value` filled when the key is there; valid until the next read. */
  get(key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const { cursor } = this;
    if (cursor === undefined) {
      if (--this.readsLeft === 0) this.cursor = this.read.cursor(wholeRange(this.space.prefix));
      return this.read.get(key, start, end, value);
    }
    if (!cursor.seek(key, start, end)) return false;
    const { key: found, value: stored } = cursor;
    if (compareBytes(found.buffer, found.start, found.end, key, start, end) !== 0) return false;
    value.set(stored.buffer, stored.start, stored.end);
    return true;
  }

  /** Frees what it holds, at the end of the execution. */
  free(): void {
    this.cursor?.close();
    this.cursor = undefined;
  }
}

/** The reads of a place in the code for a statement. */
export function keyReads(statement: Statement, place: object, space: PhysicalTable | PhysicalIndex): KeyReads {
  return statement.keep(place, () => new KeyReads(statement.context.read, space));
}
