/** What checks that are settled at the end of a transaction have in common. */
import type { Oid, TableDescriptor } from '@phantom/catalog';
import { LockStrength } from '@phantom/mvcc';
import type { CollectionView } from '../collection-view.js';
import type { DocumentTransaction } from '../transaction.js';
import type { CollectionWriter } from '../writer.js';

/** Yields what has to be waited for. */
export type Settling<T = void> = Generator<Promise<void>, T, void>;

/** Writers of collections that a removal spreads to. */
export type WriterOf = (view: CollectionView, transaction: DocumentTransaction) => CollectionWriter;

/** Runs a settling before the commit, once for all that is owed by then; what is owed later is settled again. */
export class SettlingOnce {
  private readonly transaction: DocumentTransaction;
  private readonly settleAll: () => Settling;
  private settling: Settling | undefined = undefined;
  private registered = false;

  constructor(transaction: DocumentTransaction, settleAll: () => Settling) {
    this.transaction = transaction;
    this.settleAll = settleAll;
  }

  /** Something is owed. */
  register(): void {
    if (this.registered) return;
    this.registered = true;
    this.transaction.beforeCommit(() => this.settle());
  }

  /** A promise: wait and call again. */
  private settle(): Promise<void> | undefined {
    this.settling ??= this.settleAll();
    const { value, done } = this.settling.next();
    if (done !== true) return value;
    this.settling = undefined;
    this.registered = false;
    return undefined;
  }
}

/** The table, held against being altered; undefined when it is gone. */
export function* shared({ objects }: DocumentTransaction, oid: Oid): Settling<TableDescriptor | undefined> {
  const wait = objects.lockObject(oid, LockStrength.KeyShare);
  if (wait !== undefined) yield wait;
  const table = objects.object(oid);
  return table?.kind === 'table' ? table : undefined;
}

/** A key as a name in maps. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/** Takes the first of what is owed out of a map. */
export function takeFirst<T>(owed: Map<string, T>): T | undefined {
  for (const [name, one] of owed) {
    owed.delete(name);
    return one;
  }
  return undefined;
}

/** A value as errors show it. */
export function shownValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
