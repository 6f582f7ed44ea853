/** The unique keys that references stand on: their bytes in the parent's index, whether a row has them, and keeping them there. */
import { ByteWriter } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { Value } from '../types/type.js';
import { physicalIndex, physicalTable } from './physical-table.js';
import type { WriterContext } from './writer-context.js';

export class ParentKeys {
  /** The key that was encoded last. */
  readonly key = new ByteWriter();
  private readonly context: WriterContext;
  private readonly slot = new ByteSlot();

  constructor(context: WriterContext) {
    this.context = context;
  }

  /** The key of the parent's index that has these values of these columns, into `key`. */
  encode(parent: TableDescriptor, indexOid: number, columns: readonly number[], values: readonly Value[]): void {
    const { key, context } = this;
    const index = context.objects.object(indexOid) as IndexDescriptor;
    const { types } = context.picture;
    const physical = index.space === parent.space ? physicalTable(parent, types) : physicalIndex(index, parent, types);
    const ordered = index.parts.map((part) => values[columns.indexOf(part.column as number)] as Value);
    key.reset();
    key.bytes(physical.prefix);
    physical.keyCode.encodePrefix(ordered, ordered.length, key);
  }

  /** Keeps the encoded key from being removed until the transaction ends. A promise: wait and encode again. */
  hold(): Promise<void> | undefined {
    const { transaction } = this.context;
    const { buffer, length } = this.key;
    if (transaction.concurrency !== 'locking') {
      transaction.guardPresence(buffer, 0, length);
      return undefined;
    }
    const wait = transaction.lock(buffer, 0, length, LockStrength.KeyShare, 'wait');
    return wait instanceof Promise ? wait : undefined;
  }

  /** True when there is a row with the encoded key in the newest state. */
  isThere(): boolean {
    return this.context.transaction.getNewest(this.key.buffer, 0, this.key.length, this.slot);
  }
}
