import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMvcc } from '../src/index.js';
import { runScript } from './golden-script.js';
import { openMemoryStore, textOfKey } from './support.js';

const directory = new URL('./scripts/', import.meta.url);
/** Keys of the scripts are rows of a table; those that begin with `u` are entries of a unique index. */
const names = {
  describe(key: Uint8Array) {
    const text = textOfKey(key);
    const table = { table: 'test', key: `(${text})` };
    return text.startsWith('u')
      ? { ...table, unique: { constraint: 'test_u', detail: `Key (${text}) already exists.` } }
      : table;
  },
};

describe('golden scripts', () => {
  const files = readdirSync(directory).filter((name) => name.endsWith('.txt'));
  it.each(files)('%s', async (file) => {
    const url = new URL(file, directory);
    const expected = readFileSync(url, 'utf8');
    const store = await openMemoryStore();
    const mvcc = createMvcc(store, { names });
    const seen = await runScript(expected, mvcc);
    expect(mvcc.stats().live).toBe(0);
    await mvcc.close();
    await store.close();
    if (process.env['PHANTOM_REWRITE'] === '1') writeFileSync(url, seen);
    expect(seen).toBe(readFileSync(url, 'utf8'));
  });
});
