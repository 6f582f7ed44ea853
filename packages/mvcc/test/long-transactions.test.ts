/** Transactions that live for long are named, once each. */
import type { LogFields, Logger } from '@phantom/base';
import { expect, it } from 'vitest';
import { ALL, openMvcc, put, seed } from './support.js';

it('warns once of each that lives for long, with who it is and where it began', async () => {
  const warnings: LogFields[] = [];
  const logger = { warn: (_message: string, fields: LogFields) => warnings.push(fields) } as unknown as Logger;
  const { mvcc } = await openMvcc({ longTransactionMs: 10, tracesBegin: true, logger });
  await seed(mvcc, { a: '1' });
  const forgotten = mvcc.begin({ label: 'forgotten' });
  forgotten.beginStatement('select 1');
  forgotten.cursor(ALL).next();
  expect(mvcc.stats().oldest).toMatchObject({ label: 'forgotten', cursors: 1, statement: 'select 1' });
  while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = mvcc.begin();
  while (warnings.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(warnings).toMatchObject([
    { transaction: forgotten.id, label: 'forgotten', statement: 'select 1', cursors: 1 },
    { transaction: second.id },
  ]);
  expect(warnings[0]?.['began']).toContain('long-transactions.test.ts');
  forgotten.rollback();
  second.rollback();
  expect(mvcc.stats().oldest).toBeUndefined();
});

it('gives memory back when nobody lives any more', async () => {
  const { mvcc } = await openMvcc();
  const idle = mvcc.stats();
  const reader = mvcc.begin({ isolation: 'serializable' });
  reader.beginStatement();
  reader.cursor(ALL).next();
  for (let i = 0; i < 5000; i++) {
    const writer = mvcc.begin({ isolation: 'serializable' });
    writer.beginStatement();
    put(writer, `key ${i}`, '1');
    writer.commitSync();
  }
  expect(mvcc.stats().conflictIndexBytes).toBeGreaterThan(idle.conflictIndexBytes);
  expect(mvcc.stats().serializableBytes).toBeGreaterThan(0);
  reader.rollback();
  expect(mvcc.stats()).toMatchObject({ conflictIndexBytes: idle.conflictIndexBytes, serializableBytes: 0, live: 0 });
});
