/** Reads of many single keys: past the first of them a cursor finds the others, with the same answers. */
import { ByteSlot, prefixRange } from '@phantom/kv';
import { expect, it } from 'vitest';
import { KeyReads } from '../../src/exec/key-reads.js';
import { openEngine } from '../support/engine.js';
import { readContext, runStatement } from './answers.js';

const EVERYTHING = new Uint8Array(0);

it('finds what is there, one by one and through a cursor', async () => {
  const test = await openEngine();
  const session = test.session();
  await runStatement(session, 'create table t (id text primary key, n int)');
  await runStatement(session, "insert into t select 'r' || i, i from generate_series(1, 300) i");
  const { read } = readContext(test, session);
  const keys: Uint8Array[] = [];
  const cursor = read.cursor(prefixRange(EVERYTHING));
  while (cursor.next())
    keys.push(cursor.key.copy(), Uint8Array.of(...cursor.key.copy(), 0), cursor.key.copy().slice(0, -1));
  cursor.close();
  expect(keys.length).toBeGreaterThan(900);
  keys.sort((a, b) => (a[a.length - 1] ?? 0) - (b[b.length - 1] ?? 0));

  let opened = 0;
  const source = {
    get: read.get.bind(read),
    cursor: (range: Parameters<typeof read.cursor>[0]) => (opened++, read.cursor(range)),
  };
  const answers = (reads: Pick<KeyReads, 'get'>): (string | undefined)[] => {
    const value = new ByteSlot();
    return keys.map((key) => (reads.get(key, 0, key.length, value) ? value.copy().toString() : undefined));
  };
  const expected = answers(read);
  expect(expected).toContain(undefined);
  const reads = new KeyReads(source, { prefix: EVERYTHING }, 8);
  expect(answers(reads)).toEqual(expected);
  expect(opened).toBe(1);
  reads.free();

  const remembering = new KeyReads({ ...source, tracksReads: true }, { prefix: EVERYTHING }, 8);
  expect(answers(remembering)).toEqual(expected);
  expect(opened).toBe(1);
  await test.close();
});
