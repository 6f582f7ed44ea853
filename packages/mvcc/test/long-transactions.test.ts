/** Transactions that live for long are named, once each. */
import type { LogFields, Logger } from '@phantom/base';
import type { EngineContext } from '@phantom/store';
import { expect, it } from 'vitest';
import { ALL, memoryEngine, openMvcc, put, read, seed } from './support.js';

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

it('tells the engines who holds a view, for the error that takes it away', async () => {
  let readerOf: EngineContext['readerOf'];
  const engine = {
    ...memoryEngine,
    open: (context: EngineContext) => {
      readerOf = (seq) => context.readerOf?.(seq);
      return memoryEngine.open();
    },
  };
  const { mvcc, store } = await openMvcc({}, { engines: [engine] });
  await seed(mvcc, { a: '1' });
  expect(readerOf?.(store.visibleSeq)).toBeUndefined();
  const report = mvcc.begin({ label: 'report' });
  report.beginStatement('select sum(k) from t');
  read(report, 'a');
  expect(readerOf?.(store.visibleSeq)).toBe(
    `transaction ${report.id} (report), which lives for 0 s, last statement: select sum(k) from t`,
  );
  report.rollback();
  expect(readerOf?.(store.visibleSeq)).toBeUndefined();
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
