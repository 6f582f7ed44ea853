/**
 * The format as docs/formats/btree.md draws it: a reader that knows nothing else reads what is written; and files that were
 * written by version 1 are read for ever.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checksums, loadChecksums, toHex } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BtreeEngine } from '../src/index.js';
import { TEST_IDENTITY, type TestContext, testContext } from '@phantom/testkit/engine';
import { type Fixture, diskOf, makeFixture, modelOf } from './fixture.js';
import { readTree } from './format-reader.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});
const hash = (bytes: Uint8Array, seed: bigint): bigint => checksums.h64(bytes, 0, bytes.length, seed);
const numbered = (i: number): string => String(i).padStart(6, '0');

describe('the format of a tree', () => {
  for (const pageBytes of [8192, 32_768]) {
    it(`can be read by the page that draws it, with pages of ${pageBytes} bytes`, async () => {
      const vfs = new MemoryVfs({ losesPower: false });
      const context = await testContext(vfs);
      const engine = await BtreeEngine.open(context, { pageBytes, idleMergeMs: 1e9 });
      const driver = new EngineDriver(engine, EngineCode.Btree);
      // Long keys for omitted prefixes, values of all sizes, enough of both for three levels of the small pages.
      for (let i = 0; i < 40; i++) {
        await driver.commit(
          Array.from({ length: 500 }, (_, j) => {
            const key = i < 20 ? numbered(i * 500 + j) : `${'long '.repeat(12)}${numbered((j * 7919) % 10_000)} ${i}`;
            return driver.put(key, new Uint8Array(j % 100 === 99 ? 12_000 : j % 50).fill(i));
          }),
        );
      }
      await engine.merge();
      await driver.commit([driver.removeRange(numbered(100), numbered(3000)), driver.put(numbered(7), 'seven')]);
      await engine.merge();
      await driver.commit([driver.remove(numbered(8))]);
      await engine.flush();
      const run = vfs.list('engine').find((name) => name.endsWith('.run')) as string;
      const tree = readTree(vfs.readFile('engine/tree.db'), hash);
      const eight = driver.put(numbered(8), new Uint8Array(8).fill(0));
      driver.model.apply(eight);
      const expected = driver.model.entries(new Uint8Array(0), undefined).map(({ key, value }) => [key, toHex(value)]);
      expect(tree.entries.length).toBe(expected.length);
      expect(tree.entries.findIndex(([key, value], i) => key !== expected[i]?.[0] || value !== expected[i]?.[1])).toBe(
        -1,
      );
      expect(tree).toMatchObject({ pageBytes, flushedSeq: 42, generation: context.generation.value, lostPages: 0 });
      const bytes = vfs.readFile(`engine/${run}`).length;
      expect(tree.runs).toEqual([
        { number: Number.parseInt(run, 10), bytes, identity: tree.runs[0]?.identity, seqBase: 0 },
      ]);
      await engine.close();
    });
  }

  it('looks as the example says', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const engine = await BtreeEngine.open(await testContext(vfs), { idleMergeMs: 1e9 });
    const driver = new EngineDriver(engine, EngineCode.Btree);
    await driver.commit([driver.put('a', 'x'), driver.put('b', '')]);
    await engine.merge();
    const page = vfs.readFile('engine/tree.db').slice(8192, 16_384);
    const bytes = [
      '01000000 01000200 0300000000000000 04002e0000000000',
      '000000e1 000000e2 2c003400',
      '0502 1000000161 78 0500 1000000162',
    ]
      .join('')
      .replaceAll(' ', '');
    expect(toHex(page, 8, 8 + bytes.length / 2)).toBe(bytes);
    expect(page.subarray(8 + bytes.length / 2).every((byte) => byte === 0)).toBe(true);
    await engine.close();
  });
});

const FIXTURE = join(import.meta.dirname, 'fixtures', 'v1.json');

describe('files of version 1', () => {
  it('are read as they were written', async () => {
    const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
    const context = await testContext(diskOf(fixture), {
      generation: { value: fixture.generation },
      isIdentified: false,
    });
    const engine = await BtreeEngine.open(context, { idleMergeMs: 1e9 });
    expect(engine.flushedSeq()).toBe(fixture.seq);
    expect([engine.height, engine.stats().runs]).toEqual([2, 1]);
    expect([...engine.check()]).toEqual([]);
    expect(await makeFixture()).toMatchObject({ seq: fixture.seq, entries: fixture.entries });
    const driver = new EngineDriver(engine, EngineCode.Btree);
    driver.seq = fixture.seq;
    driver.model = modelOf(fixture);
    driver.compareNow();
    await engine.merge();
    driver.compareNow();
    expect([...engine.check()]).toEqual([]);
    await engine.close();
  });

  it('are of their store from the first opening on, and of no other', async () => {
    const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
    const disk = diskOf(fixture);
    const generation = { value: fixture.generation };
    const open = async (more: Partial<TestContext> = {}): Promise<BtreeEngine> =>
      BtreeEngine.open({ ...(await testContext(disk, { generation })), ...more }, { idleMergeMs: 1e9 });
    await expect(open()).rejects.toThrow('does not belong to this store');
    await (await open({ isIdentified: false })).close();
    expect(generation.value).toBe(fixture.generation + 1);
    await (await open()).close();
    const other = TEST_IDENTITY.map((byte) => byte + 100);
    await expect(open({ identity: other, isIdentified: false })).rejects.toMatchObject({
      code: 'XX001',
      data: { file: 'engine/tree.db', expected: toHex(other), found: toHex(TEST_IDENTITY) },
    });
    generation.value -= 1;
    await (await open()).close();
    generation.value -= 2;
    await expect(open()).rejects.toThrow('an older superblock lies beside them');
  });
});
