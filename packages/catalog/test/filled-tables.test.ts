/** Snapshots that are older than what a table holds. */
import type { MvccTransaction } from '@phantom/mvcc';
import { expect, it } from 'vitest';
import { FilledTables } from '../src/index.js';

/** A transaction as FilledTables sees it. */
function transactionAt(snapshotSeq: number, isolation: MvccTransaction['isolation'] = 'repeatable read') {
  const listeners: ((seq: number | undefined) => void)[] = [];
  const transaction = {
    isolation,
    snapshotSeq,
    onEnd: (listener: (seq: number | undefined) => void) => void listeners.push(listener),
  } as unknown as MvccTransaction;
  return { transaction, end: (seq: number | undefined) => listeners.forEach((listener) => listener(seq)) };
}

function filledAt(tables: FilledTables, oid: number, seq: number | undefined): void {
  const { transaction, end } = transactionAt(0);
  tables.fillBy(transaction, oid);
  end(seq);
}

const refused = expect.objectContaining({ code: '40001' });

it('refuses a table that was filled after the snapshot, and no other', () => {
  const tables = new FilledTables();
  const old = transactionAt(5).transaction;
  tables.check(old, 1, 't');
  filledAt(tables, 1, undefined);
  expect(tables.mayBeNewer(old)).toBe(false);
  filledAt(tables, 1, 7);
  expect(tables.mayBeNewer(old)).toBe(true);
  expect(() => tables.check(old, 1, 't')).toThrow(refused);
  tables.check(old, 2, 'u');
  tables.check(transactionAt(7).transaction, 1, 't');
  tables.check(transactionAt(5, 'read committed').transaction, 1, 't');
  tables.check(transactionAt(0).transaction, 1, 't');
});

it('remembers thousands one by one, and all of the older ones together', () => {
  const tables = new FilledTables();
  for (let oid = 1; oid <= 4097; oid++) filledAt(tables, oid, 10);
  expect(() => tables.check(transactionAt(9).transaction, 1, 't')).toThrow(refused);
  tables.check(transactionAt(10).transaction, 1, 't');
});
