import { ByteWriter } from '@phantom/base';
import { DocumentEncoder, type DocumentStructure, Jsonb, defineStructure, eachStructure } from '@phantom/codec';
import { describe, expect, it } from 'vitest';
import type { Catalog } from '../src/index.js';
import { openCatalog, reload } from './support.js';

/** Bytes of a structure as docs/formats/document.md has them. */
function bytesOf(...keys: string[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(1);
  writer.varint(keys.length);
  for (const key of keys) writer.text(key);
  return writer.take();
}

function learn({ structures }: Catalog, ...keys: string[]): DocumentStructure {
  const structure = structures.learn(bytesOf(...keys)) as DocumentStructure;
  structures.wants(structure);
  return structure;
}

describe('structures of documents', () => {
  it('are there once a commit has put them, and after a restart', async () => {
    const opened = await openCatalog();
    const { catalog, store } = opened;
    const before = store.stats().commits;
    const first = learn(catalog, 'temperature', 'pressure');
    const second = learn(catalog, 'name', 'address');
    catalog.structures.wants(first);
    expect(catalog.structures.has(first)).toBe(false);
    await catalog.structures.settled();
    expect([first, second].map((one) => catalog.structures.has(one))).toEqual([true, true]);
    // Both in one commit.
    expect(store.stats().commits).toBe(before + 1);
    catalog.structures.wants(first);
    await catalog.structures.settled();
    const again = await reload(opened);
    expect(again.structures.size).toBe(2);
    expect([first, second].map((one) => again.structures.has(one))).toEqual([true, true]);
    expect([...again.structures.check()]).toEqual([]);
    // What the process knows of another store is not here.
    const foreign = defineStructure(bytesOf('of another', 'store')) as DocumentStructure;
    expect(again.structures.has(foreign)).toBe(false);
  });

  it('are wanted while one commit is under way, and are in the next', async () => {
    const { catalog } = await openCatalog();
    const first = learn(catalog, 'one of two keys', 'a');
    await Promise.resolve();
    await Promise.resolve();
    const second = learn(catalog, 'one of two keys', 'b');
    await catalog.structures.settled();
    expect([first, second].map((one) => catalog.structures.has(one))).toEqual([true, true]);
  });

  it('are as many as a store may have, and no more', async () => {
    const { catalog } = await openCatalog();
    for (let i = 0; i < 4096; i++) learn(catalog, `key ${i}`);
    expect(catalog.structures.learn(bytesOf('one more'))).toBeUndefined();
    await catalog.structures.settled();
    expect(catalog.structures.size).toBe(4096);
    const known = defineStructure(bytesOf('one more')) as DocumentStructure;
    catalog.structures.wants(known);
    await catalog.structures.settled();
    expect(catalog.structures.has(known)).toBe(false);
  });

  it('are no longer learnt after a commit that failed', async () => {
    const { catalog, mvcc } = await openCatalog();
    const structure = learn(catalog, 'never', 'committed');
    await mvcc.close();
    await catalog.structures.settled();
    expect(catalog.structures.has(structure)).toBe(false);
    expect(catalog.structures.learn(bytesOf('nothing'))).toBeUndefined();
  });

  it('are left out and told of when they are damaged', async () => {
    const opened = await openCatalog();
    const transaction = opened.mvcc.begin();
    const key = opened.catalog.keys.structure(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
    const value = bytesOf('not', 'of this name');
    transaction.put(key, 0, key.length, value, 0, value.length);
    await transaction.commit();
    const again = await reload(opened);
    expect(again.structures.size).toBe(0);
    expect([...again.structures.check()]).toEqual([
      expect.objectContaining({ severity: 'corruption', message: expect.stringContaining('0102030405060708') }),
    ]);
  });

  it('are named by documents that an encoder makes for the store', async () => {
    const { catalog } = await openCatalog();
    const encoder = new DocumentEncoder({ depthMax: 10 });
    const encode = (document: object): Uint8Array => {
      encoder.writer.reset();
      encoder.encodeWithId(document, 1, catalog.structures);
      return encoder.writer.take();
    };
    const document = { temperature_outside: 20, readings: [{ sensor_name: 'a', sensor_value: 1 }] };
    let plain: Uint8Array = new Uint8Array();
    for (let i = 0; i < 100; i++) plain = encode(document);
    await catalog.structures.settled();
    const named = encode(document);
    expect(named.length).toBeLessThan(plain.length);
    expect(new Jsonb(named).plain()).toEqual(new Jsonb(plain).plain());
    const met: string[] = [];
    eachStructure(named, 0, named.length, ({ names, name }) => met.push(`${names.join()} ${name.length}`));
    expect(met).toEqual(['_id,temperature_outside,readings 16', 'sensor_name,sensor_value 16']);
  });
});
